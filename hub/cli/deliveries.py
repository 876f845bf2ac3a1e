"""``hub deliveries``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hub.accounts import accounts, hooks
from hub.cli.application import with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, say, show, table
from hub.history import (
    deliveries as history,
)
from hub.history import (
    replay,
    search,
)
from hub.history.deliveries import DeliveryFilter
from hub.history.standing import (
    Standing,
    of_deliveries,
)
from hub.models import Attempt, Delivery, Event
from hub.services import registry

_COLUMNS = ("id", "hook_id", "event", "conversation_id", "state", "attempts", "reason")


def _filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose deliveries; they come as ``DeliveryFilter.of`` wants them."""
    for option in reversed(
        (
            click.option("--account"),
            click.option("--hook", type=int),
            click.option("--state", type=click.Choice(history.STATES)),
            click.option("--event"),
            click.option("--conversation"),
            click.option("--contact"),
            click.option("--text", help="In the contact's name, email or phone, or the reason."),
            click.option("--begin", help="Not before, such as 2026-07-14T10:30."),
            click.option("--end", help="Before this moment."),
        )
    ):
        command = option(command)
    return command


def _filter(account: str | None, given: Mapping[str, Any]) -> DeliveryFilter:
    return DeliveryFilter.of(given, account_id=accounts.find(account).id if account else None)


@click.group("deliveries")
def group() -> None:
    """What is owed to the CRMs, and how it went."""


@group.command("list")
@_filter_options
@click.option("--before", type=int, help="Continue a list below this id.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=history.PAGE, show_default=True)
@json_option
@with_application
def list_(account: str | None, before: int | None, limit: int, as_json: bool, **given: Any) -> None:
    """List deliveries, newest first."""
    found = search.every_delivery(_filter(account, given), before=before, limit=limit)
    standings = of_deliveries([delivery for delivery, _ in found], registry().plugins)
    rows = [_row(delivery, event, standings.get(delivery.id)) for delivery, event in found]
    show(rows, as_json, columns=_COLUMNS)


@group.command("show")
@click.argument("delivery", type=int)
@json_option
@with_application
def show_(delivery: int, as_json: bool) -> None:
    """Tell the story of one delivery: what came in, each attempt and its calls."""
    found = history.delivery(delivery)
    if found is None:
        raise Failure(f"There is no delivery {delivery}.")
    row, event, attempts = found
    story = {
        **_row(row, event, of_deliveries([row], registry().plugins).get(row.id)),
        "payload": event.payload,
        "attempts": [_attempt(attempt) for attempt in attempts],
    }
    if as_json:
        show(story, True)
        return
    show({name: story[name] for name in (*_COLUMNS, "url") if name != "attempts"}, False)
    for attempt in attempts:
        click.echo(f"\nAttempt {attempt.number}: {attempt.outcome.value} — {attempt.detail}")
        calls = [call for call in attempt.calls if "method" in call]
        table(calls, ("method", "url", "status", "milliseconds", "error")) if calls else None
        if attempt.traceback:
            click.echo(attempt.traceback)


@group.command("replay")
@click.argument("delivery", type=int, required=False)
@_filter_options
@click.option("--all", "everything", is_flag=True, help="Of all hooks.")
@json_option
@with_application
def replay_(
    delivery: int | None, account: str | None, everything: bool, as_json: bool, **given: Any
) -> None:
    """Make deliveries owed again: one, or those of a filter, which are the dead ones of it if no
    state is given."""
    if delivery is not None:
        count = int(replay.replay(delivery))
    else:
        if given["hook"] is not None:
            hooks.find(given["hook"])
        wanted = _filter(account, {**given, "state": given["state"] or "dead"})
        if not everything and account is None and wanted.told().keys() == {"state"}:
            raise Failure("Name a delivery, a filter such as --hook HOOK, or --all.")
        count = replay.replay_all(wanted)
    show({"replayed": count}, as_json)


@group.command("skip")
@click.argument("delivery", type=int)
@click.option("--reason", required=True)
@with_application
def skip(delivery: int, reason: str) -> None:
    """Give up one delivery, so that its lane goes on."""
    if not replay.skip(delivery, reason):
        raise Failure(f"Delivery {delivery} is not open and not dead.")
    say(f"Delivery {delivery} is skipped.")


@group.command("insist")
@click.argument("delivery", type=int)
@json_option
@with_application
def insist(delivery: int, as_json: bool) -> None:
    """Create the ticket now: deliver what is kept back of its conversation, whoever it is."""
    count = replay.insist(delivery)
    if not count:
        raise Failure(f"Delivery {delivery} is not kept back, or its plugin cannot go on without.")
    show({"deliveries": count}, as_json)


def _row(delivery: Delivery, event: Event, standing: Standing | None) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "hook_id": delivery.hook_id,
        "event_id": event.id,
        "event": event.name,
        "contact_id": event.contact_id,
        "conversation_id": event.conversation_id,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "reason": standing.in_english() if standing else delivery.reason,
        "waits_for": standing.cause.value if standing else None,
        "url": delivery.url,
        "due_at": delivery.due_at,
        "kept_until": delivery.kept_until,
        "created_at": delivery.created_at,
        "finished_at": delivery.finished_at,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "outcome": attempt.outcome.value,
        "detail": attempt.detail,
        "worker": attempt.worker,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
        "calls": attempt.calls,
        "traceback": attempt.traceback,
        "batch_of": attempt.batch_of,
    }
