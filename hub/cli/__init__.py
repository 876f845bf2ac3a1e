"""The command line: ``hub``."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module

import click

from hub import __version__
from hub.cli.failure import Failure
from hub.cli.lazy import LazyCommand

#: Where each command is, and its help in the list of all; one without help is hidden. A command is
#: imported when it is called, so that no process carries what only the others need.
_COMMANDS = {
    "accounts": ("accounts:group", "The tenants: one for each team."),
    "db": ("database:group", "The database."),
    "deliveries": ("deliveries:group", "What is owed to the CRMs, and how it went."),
    "demo": (
        "demo:demo",
        (
            "Start everything with simulators of GLPI and LeadSquared, send recorded "
            "Chatwoot events, and show what arrived in both."
        ),
    ),
    "doctor": ("doctor:doctor", "Look over the installation and say what to mend."),
    "events": ("events:group", "What happened, as it was accepted."),
    "hooks": ("hooks:group", "Plugins in an account, with their settings."),
    "keys": ("database:keys", "The keys that encrypt secrets at rest."),
    "plugins": ("plugins:group", "The installed plugins."),
    "prepare": ("prepare:prepare", ""),
    "prune": (
        "prune:prune",
        ("Delete old events with what was owed for them, and old refused requests, in batches."),
    ),
    "quarantine": (
        "quarantine:group",
        "Refused requests that were kept, because their sender does not send them again.",
    ),
    "sources": ("sources:group", "Where events come from: the webhooks of your Chatwoot."),
    "status": ("status:status", "How things stand."),
    "sweeper": ("sweeper:sweeper", "Queue lanes that have work and no worker."),
    "up": ("up:up", "Run everything: Redis if none is configured, web, workers and sweeper."),
    "users": ("users:group", "People who may sign in."),
    "wait": (
        "status:wait",
        (
            "Wait until nothing is left that goes by itself: no delivery runs, is due, in "
            "backoff, or behind an open breaker."
        ),
    ),
    "web": ("web:web", "Run the web server: the inbox, the API and the dashboard."),
    "worker": ("worker:worker", "Run worker processes; a crashed one is replaced."),
    "worker-process": ("worker_process:worker_process", ""),
}


class _Hub(click.Group):
    """The hub's own commands, and those that plugins bring."""

    def list_commands(self, context: click.Context) -> list[str]:
        from hub.cli import plugin_commands

        return sorted({*_COMMANDS, *plugin_commands.names()})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in _COMMANDS:
            return _own(name, *_COMMANDS[name])
        from hub.cli import plugin_commands

        return plugin_commands.find(name)


def _own(name: str, place: str, help: str) -> LazyCommand:
    module, _, attribute = place.partition(":")

    def load() -> click.Command:
        # What is imported stays: looking for garbage in it takes a tenth of the time, for nothing.
        gc.disable()
        try:
            command = getattr(import_module(f"hub.cli.{module}"), attribute)
        finally:
            gc.enable()
        assert isinstance(command, click.Command)
        return command

    return LazyCommand(name, help, load)


@click.group(cls=_Hub, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub")
def cli() -> None:
    """CRM Hub: keeps any number of CRM and ITSM systems true to your conversations."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed with a sentence, 2 wrong usage; those of
    commands that cannot start stand in ``hub.cli.failure``."""
    os.umask(0o077)  # what the hub writes is nobody else's
    if "HUB_SUPERVISOR_PID" in os.environ:
        from hub.fleet.orphan import stop_with_supervisor

        stop_with_supervisor()  # commands of plugins, too: the demo's simulators
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
        sys.exit(error.code)
