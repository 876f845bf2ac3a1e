"""The command line: ``hub``."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from hub import __version__
from hub.cli.failure import Failure

#: Where each command is. It is imported when it is called, so that no process carries what only
#: the others need.
_COMMANDS = {
    "accounts": "accounts:group",
    "db": "database:group",
    "deliveries": "deliveries:group",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "events": "events:group",
    "hooks": "hooks:group",
    "keys": "database:keys",
    "plugins": "plugins:group",
    "prepare": "prepare:prepare",
    "prune": "prune:prune",
    "quarantine": "quarantine:group",
    "sources": "sources:group",
    "status": "status:status",
    "sweeper": "sweeper:sweeper",
    "up": "up:up",
    "users": "users:group",
    "wait": "status:wait",
    "web": "web:web",
    "worker": "worker:worker",
    "worker-process": "worker_process:worker_process",
}


class _Hub(click.Group):
    """The hub's own commands, and those that plugins bring.

    A plugin is loaded only when one of its commands may be meant: most commands need none.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*_COMMANDS, *(command.name or "" for command in _plugin_commands())})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in _COMMANDS:
            module, _, attribute = _COMMANDS[name].partition(":")
            command = getattr(import_module(f"hub.cli.{module}"), attribute)
            assert isinstance(command, click.Command)
            return command
        return next((command for command in _plugin_commands() if command.name == name), None)


def _plugin_commands() -> list[click.Command]:
    from hub.plugins import Registry
    from hub.sdk.plugin import BadManifest

    commands = []
    for plugin in Registry.discover().plugins.values():
        try:
            commands += plugin.loaded_commands()
        except BadManifest as error:
            click.echo(f"hub: the plugin {plugin.id} brings no commands: {error}", err=True)
    return commands


@click.group(cls=_Hub, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub")
def cli() -> None:
    """CRM Hub: keeps any number of CRM and ITSM systems true to your conversations."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed with a sentence, 2 wrong usage."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Failure as error:
        click.echo(f"hub: {error}", err=True)
        sys.exit(1)
