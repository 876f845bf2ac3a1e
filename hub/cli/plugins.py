"""``hub plugins``."""

from __future__ import annotations

import click

from hub.cli.application import Failure, application
from hub.cli.output import json_option, show
from hub.plugins import Registry, UnknownPlugin
from hub.sdk.settings import form_fields, json_schema


@click.group("plugins")
def group() -> None:
    """The installed plugins."""


def _registry() -> Registry:
    registry = application().extensions["hub.registry"]
    assert isinstance(registry, Registry)
    return registry


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the plugins, the broken ones with their error."""
    registry = _registry()
    rows = [
        {
            "id": plugin.id,
            "name": plugin.name,
            "version": plugin.version,
            "state": "not ready" if plugin.not_ready else "ready",
            "detail": plugin.not_ready or plugin.description,
        }
        for plugin in registry.plugins.values()
    ]
    rows += [
        {
            "id": broken.id,
            "name": broken.distribution,
            "version": "",
            "state": "broken",
            "detail": broken.sentence,
        }
        for broken in registry.broken
    ]
    show(rows, as_json)


@group.command("info")
@click.argument("plugin")
@json_option
def info(plugin: str, as_json: bool) -> None:
    """Show one plugin: what it handles and its settings."""
    registry = _registry()
    try:
        found = registry.get(plugin)
    except UnknownPlugin as error:
        for broken in registry.broken:
            if broken.id == plugin and broken.traceback:
                click.echo(broken.traceback, err=True)
        raise Failure(str(error)) from error
    if as_json:
        show(
            {
                "id": found.id,
                "name": found.name,
                "version": found.version,
                "description": found.description,
                "events": sorted(found.events),
                "hook_type": found.hook_type,
                "allow_multiple_hooks": found.allow_multiple_hooks,
                "feature_flag": found.feature_flag,
                "sdk": found.sdk,
                "settings": json_schema(found.settings),
            },
            True,
        )
        return
    click.echo(f"{found.name} {found.version} — {found.description}")
    click.echo(f"Events: {', '.join(sorted(found.events))}\n")
    show(
        [
            {
                "setting": field.name,
                "kind": field.widget,
                "required": field.required,
                "default": field.default,
                "help": field.help or field.label,
            }
            for field in form_fields(found.settings)
        ],
        False,
    )
