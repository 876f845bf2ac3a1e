"""The command line: ``hub``."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import entry_points

import click

from hub import __version__
from hub.cli.application import Failure
from hub.plugins.registry import GROUP

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
    "prune": "prune:prune",
    "quarantine": "quarantine:group",
    "sources": "sources:group",
    "status": "status:status",
    "sweeper": "run:sweeper",
    "up": "run:up",
    "users": "users:group",
    "wait": "status:wait",
    "web": "run:web",
    "worker": "run:worker",
    "worker-process": "run:worker_process",
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

    registry = Registry.of(entry_points(group=GROUP))
    return [command for plugin in registry.plugins.values() for command in plugin.commands]


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
