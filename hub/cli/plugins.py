"""``hub plugins``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from hub import services
from hub.cli.application import application
from hub.cli.failure import Failure
from hub.cli.output import json_option, say, show
from hub.kit.check import (
    Check,
    Uncheckable,
)
from hub.plugins import Registry, UnknownPlugin, scaffold
from hub.sdk.plugin import Plugin
from hub.sdk.settings import form_fields, json_schema


@click.group("plugins")
def group() -> None:
    """The installed plugins."""


def _registry() -> Registry:
    registry = services.of(application()).registry
    assert isinstance(registry, Registry)
    return registry


def _find(plugin_id: str) -> Plugin:
    registry = _registry()
    try:
        return registry.get(plugin_id)
    except UnknownPlugin as error:
        for broken in registry.broken:
            if broken.id == plugin_id and broken.traceback:
                click.echo(broken.traceback, err=True)
        raise Failure(str(error)) from error


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
    found = _find(plugin)
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


@group.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it; ./NAME if not.")
def new(name: str, folder: Path | None) -> None:
    """Write a new plugin: a whole package that passes the kit as it is, to be made your own."""
    folder = folder or Path(name)
    try:
        scaffold.write(name, folder)
    except (scaffold.BadName, scaffold.Exists) as error:
        raise Failure(str(error)) from error
    say(
        f"The plugin {name} is in {folder}. Next:\n"
        f"  pip install --editable {folder.as_posix() if folder.is_absolute() else f'./{folder}'}\n"
        f"  hub plugins check {name}"
    )


@group.command("check")
@click.argument("plugin")
@json_option
def check(plugin: str, as_json: bool) -> None:
    """Put an installed plugin through the conformance kit and print its report card."""
    try:
        run = Check(_find(plugin))
        _watch(run)
    except Uncheckable as error:
        raise Failure(str(error)) from error
    if as_json:
        show(_card(run), True)
    else:
        _print_card(run)
    if not run.passed:
        failed = sum(not mark.passed for mark in run.marks.values())
        raise Failure(f"{run.plugin.name} breaks {failed} of {len(run.marks)} promises.")


def _watch(run: Check) -> None:
    columns = (TextColumn("Checking"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        for step in run:
            progress.update(
                task, total=step.total, completed=step.run, description=escape(step.promise)
            )


def _card(run: Check) -> dict[str, object]:
    return {
        "plugin": run.plugin.id,
        "version": run.plugin.version,
        "passed": run.passed,
        "promises": [
            {
                "promise": mark.promise,
                "passed": mark.passed,
                "cases": mark.cases,
                "seconds": mark.seconds,
                "failures": mark.failures,
            }
            for mark in run.marks.values()
        ],
    }


def _print_card(run: Check) -> None:
    console = Console(highlight=False)
    grid = Table(title=f"{run.plugin.name} {run.plugin.version}", title_justify="left")
    grid.add_column("")
    grid.add_column("promise", overflow="fold")
    grid.add_column("cases", justify="right")
    grid.add_column("seconds", justify="right")
    for mark in run.marks.values():
        sign = "[green]✓[/]" if mark.passed else "[red]✗[/]"
        grid.add_row(sign, escape(mark.promise), str(mark.cases), f"{mark.seconds:.1f}")
    console.print(grid)
    for mark in run.marks.values():
        for failure in mark.failures:
            case = f" ({failure['case']})" if failure["case"] else ""
            console.print(f"[red]✗[/] [bold]{escape(mark.promise + case)}[/]")
            console.print(escape(failure["reason"]), soft_wrap=True)
