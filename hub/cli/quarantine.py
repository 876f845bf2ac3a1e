"""``hub quarantine``."""

from __future__ import annotations

import click

from hub.accounts import sources
from hub.cli.application import with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, say, show
from hub.inbox import release


@click.group("quarantine")
def group() -> None:
    """Refused requests that were kept, because their sender does not send them again."""


@group.command("list")
@click.option("--source", type=int)
@json_option
@with_application
def list_(source: int | None, as_json: bool) -> None:
    """List the held requests with the reason."""
    show(
        [
            {
                "id": request.id,
                "source_id": request.source_id,
                "received_at": request.received_at,
                "size": request.size,
                "code": request.code,
                "reason": request.reason,
            }
            for request in release.held(source)
        ],
        as_json,
    )


@group.command("release")
@click.argument("request", type=int, required=False)
@click.option("--source", type=int, help="All of this source.")
@click.option("--all", "everything", is_flag=True)
@json_option
@with_application
def release_(request: int | None, source: int | None, everything: bool, as_json: bool) -> None:
    """Try held requests again. Exit code 1 when one is held still."""
    if request is not None:
        found = release.release(request)
        if found is None:
            raise Failure(f"There is no held request {request}.")
        results = [found]
    elif source is not None:
        results = release.release_all(source)
    elif everything:
        having = [one.id for one in sources.listed() if release.held(one.id)]
        results = [item for source_id in having for item in release.release_all(source_id)]
    else:
        raise Failure("Name a request, --source SOURCE, or --all.")
    show(
        [{"id": item.id, "outcome": item.outcome, "event_ids": item.event_ids} for item in results],
        as_json,
    )
    if any(item.outcome.startswith("still held") for item in results):
        raise Failure("Some requests are still held.")


@group.command("discard")
@click.argument("request", type=int)
@click.confirmation_option(prompt="Throw the request away for good?")
@with_application
def discard(request: int) -> None:
    """Throw a held request away."""
    if not release.discard(request):
        raise Failure(f"There is no held request {request}.")
    say(f"Request {request} is gone.")
