"""The command line: ``hub``."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import click

from hub import __version__
from hub.cli import (
    accounts,
    database,
    deliveries,
    demo,
    doctor,
    events,
    hooks,
    plugins,
    prune,
    quarantine,
    run,
    sources,
    status,
    users,
)
from hub.cli.application import Failure
from hub.plugins.registry import GROUP


class _Hub(click.Group):
    """The hub's own commands, and those that plugins bring.

    A plugin is loaded only when one of its commands may be meant: most commands need none.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        own = super().list_commands(context)
        return sorted({*own, *(command.name or "" for command in _plugin_commands())})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        own = super().get_command(context, name)
        if own is not None:
            return own
        return next((command for command in _plugin_commands() if command.name == name), None)


def _plugin_commands() -> list[click.Command]:
    from hub.plugins import Registry

    registry = Registry.of(entry_points(group=GROUP))
    return [command for plugin in registry.plugins.values() for command in plugin.commands]


@click.group(cls=_Hub, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub")
def cli() -> None:
    """CRM Hub: keeps any number of CRM and ITSM systems true to your conversations."""


for module in (accounts, users, sources, hooks, events, deliveries, quarantine, plugins, database):
    cli.add_command(module.group)
for command in (
    run.up,
    run.web,
    run.worker,
    run.worker_process,
    run.sweeper,
    status.status,
    status.wait,
    doctor.doctor,
    prune.prune,
    demo.demo,
    database.keys,
):
    cli.add_command(command)


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
