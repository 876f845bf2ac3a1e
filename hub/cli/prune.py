"""``hub prune``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import Progress

from hub import services
from hub.cli.application import with_application
from hub.cli.output import json_option, show
from hub.history.prune import older_than

_DAY = 86_400.0


@click.command("prune")
@click.option("--older-than", "days", type=click.FloatRange(min=0), help="Days; default: 90.")
@click.option("--dry-run", is_flag=True, help="Count only.")
@json_option
@with_application
def prune(days: float | None, dry_run: bool, as_json: bool) -> None:
    """Delete old events with what was owed for them, and old refused requests, in batches.

    What is owed still is kept, and so are dead letters.
    """
    policies = services.current().config.policies
    pruning = older_than(policies.history.keep.total_seconds() if days is None else days * _DAY)
    events, requests = pruning.count(), pruning.count_requests()
    gone = 0
    if not dry_run:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("pruning", total=events + requests)
            while (step := pruning.step()) is not None:
                gone += step
                bar.advance(task, step)
    show({"events": events, "requests": requests, "pruned": gone}, as_json)
