"""``hub status`` and ``hub wait``."""

from __future__ import annotations

import time

import click

from hub import services
from hub.cli.failure import Failure
from hub.cli.looking import looking
from hub.cli.output import json_option, say, show, table
from hub.history.status import overview
from hub.queue import plugins

#: As many as fit into a terminal of 80 characters.
_COLUMNS = ("id", "name", "status", "breaker", "open", "kept_back", "dead")


@click.command("status")
@json_option
@looking
def status(as_json: bool) -> None:
    """How things stand."""
    figures = overview(plugins=plugins.usable(services.stores().redis))
    if as_json:
        show(figures, True)
        return
    hooks = figures.pop("hooks")
    show(figures, False)
    rows = [{**hook, "status": hook["status"] if hook["enabled"] else "off"} for hook in hooks]
    table(rows, _COLUMNS)
    for hook in hooks:
        if hook["detail"]:
            click.echo(f"{hook['name']}: {hook['detail']}")


@click.command("wait")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds.")
@looking
def wait(timeout: float) -> None:
    """Wait until nothing is left that goes by itself: no delivery runs, is due, in backoff, or
    behind an open breaker. Exit code 1 at the timeout if there is one still.

    What waits for a person, or is kept back, is named, and is not waited for.
    """
    from hub.history.leftovers import (
        is_settled,
        leftovers,
    )  # ``hub status`` needs none of it

    redis = services.stores().redis
    give_up = time.monotonic() + timeout
    while not is_settled(plugins.usable(redis)) and time.monotonic() < give_up:
        time.sleep(0.2)
    left = leftovers(plugins.usable(redis))
    for held in left.held:
        say(f"Not waited for: {held}")
    if left.oldest_going is not None:
        others = f" And {left.going - 1} more are on their way." if left.going > 1 else ""
        raise Failure(f"Left after {timeout:g} seconds: {left.oldest_going}{others}")
    say("Nothing is left to wait for.")
