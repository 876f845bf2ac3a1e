"""``hub hooks``."""

from __future__ import annotations

from typing import Any

import click

from hub.accounts import accounts, hooks
from hub.accounts.proving import NotProven
from hub.accounts.setup import SetupReport
from hub.cli.application import SecretCommand, pairs, with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, say, show
from hub.history.standing import shown_status
from hub.models import Hook
from hub.sdk.settings import visible_settings
from hub.services import registry

_set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the plugin. NAME=@FILE takes it from a file, NAME=- from standard input.",
)


@click.group("hooks")
def group() -> None:
    """Plugins in an account, with their settings."""


@group.command("create", cls=SecretCommand)
@click.argument("account")
@click.argument("plugin")
@_set_option
@click.option("--name", default="")
@click.option("--inbox", "inbox_id", help="Only conversations of this inbox.")
@json_option
@with_application
def create(
    account: str,
    plugin: str,
    settings: tuple[str, ...],
    name: str,
    inbox_id: str | None,
    as_json: bool,
) -> None:
    """Install a plugin and run its setup. Exit code 1 with its sentence when that fails."""
    _finish(
        *hooks.create(
            accounts.find(account), plugin, pairs(settings), name=name, inbox_id=inbox_id
        ),
        as_json,
    )


@group.command("update", cls=SecretCommand)
@click.argument("hook", type=int)
@_set_option
@json_option
@with_application
def update(hook: int, settings: tuple[str, ...], as_json: bool) -> None:
    """Prove other settings, then store them; those that are not given stay.

    Exit code 1 when they fail. A hook that works then keeps what it has.
    """
    try:
        _finish(*hooks.update(hook, pairs(settings)), as_json)
    except NotProven as error:
        field = f" (setting {error.report.field})" if error.report.field else ""
        raise Failure(f"Nothing was changed, what worked goes on. {error}{field}") from error


@group.command("test")
@click.argument("hook", type=int)
@json_option
@with_application
def test(hook: int, as_json: bool) -> None:
    """Run the setup again and show its steps."""
    found, report = hooks.run_setup(hook)
    if not as_json:
        for step in report.steps:
            say(f"{'✓' if step.state == 'ok' else '✗'} {step.title} {step.sentence}".rstrip())
    _finish(found, report, as_json)


@group.command("list")
@click.argument("account", required=False)
@json_option
@with_application
def list_(account: str | None, as_json: bool) -> None:
    """List the hooks of an account, or all."""
    found = hooks.listed(accounts.find(account) if account else None)
    show([_row(hook) for hook in found], as_json)


@group.command("show")
@click.argument("hook", type=int)
@json_option
@with_application
def show_(hook: int, as_json: bool) -> None:
    """Show one hook with its visible settings."""
    found = hooks.find(hook)
    plugin = registry().plugins.get(found.plugin_id)
    shown = visible_settings(plugin.settings, found.settings) if plugin else {}
    show({**_row(found), "settings": shown, "learned": found.learned}, as_json)


@group.command("enable")
@click.argument("hook", type=int)
@json_option
@with_application
def enable(hook: int, as_json: bool) -> None:
    """Switch a hook on."""
    show(_row(hooks.set_enabled(hook, True)), as_json)


@group.command("disable")
@click.argument("hook", type=int)
@json_option
@with_application
def disable(hook: int, as_json: bool) -> None:
    """Switch a hook off: it gets no new events, and its open deliveries wait."""
    show(_row(hooks.set_enabled(hook, False)), as_json)


@group.command("pause")
@click.argument("hook", type=int)
@click.option("--reason", required=True)
@json_option
@with_application
def pause(hook: int, reason: str, as_json: bool) -> None:
    """Let the hook's deliveries wait; new ones are still owed."""
    show(_row(hooks.pause(hook, reason)), as_json)


@group.command("resume")
@click.argument("hook", type=int)
@json_option
@with_application
def resume(hook: int, as_json: bool) -> None:
    """End a pause: the settings are proved, then deliveries go on."""
    _finish(*hooks.resume(hook), as_json)


@group.command("delete")
@click.argument("hook", type=int)
@click.confirmation_option(prompt="Delete the hook with its deliveries and links?")
@with_application
def delete(hook: int) -> None:
    """Delete a hook. Records in the CRM are not deleted."""
    hooks.remove(hook)
    say(f"Hook {hook} is deleted.")


def _finish(hook: Hook, report: SetupReport, as_json: bool) -> None:
    show({**_row(hook), "learned": hook.learned}, as_json)
    if not report.ok:
        field = f" (setting {report.field})" if report.field else ""
        raise Failure(f"{report.sentence}{field}")


def _row(hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "account_id": hook.account_id,
        "plugin": hook.plugin_id,
        "name": hook.name,
        "enabled": hook.enabled,
        "status": shown_status(hook.plugin_id, hook.status, registry().plugins),
        "detail": hooks.detail(hook),
    }
