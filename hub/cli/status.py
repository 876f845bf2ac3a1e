"""``hub status`` and ``hub wait``."""

from __future__ import annotations

import time

import click

from hub.cli.application import with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, say, show, table
from hub.delivery.status import is_settled, overview


@click.command("status")
@json_option
@with_application
def status(as_json: bool) -> None:
    """How things stand."""
    figures = overview()
    if as_json:
        show(figures, True)
        return
    hooks = figures.pop("hooks")
    show(figures, False)
    table(hooks, ("id", "name", "plugin", "enabled", "status", "breaker", "open", "dead", "detail"))


@click.command("wait")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
@with_application
def wait(timeout: float) -> None:
    """Wait until no delivery is running or comes due in time. Exit code 1 at the timeout."""
    give_up = time.monotonic() + timeout
    while not is_settled(horizon=max(0.0, give_up - time.monotonic())):
        if time.monotonic() > give_up:
            raise Failure(f"After {timeout:g} seconds there are still deliveries to be paid.")
        time.sleep(0.2)
    say("Nothing is due.")
