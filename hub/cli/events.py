"""``hub events``."""

from __future__ import annotations

from typing import Any

import click

from hub.accounts import accounts
from hub.cli.application import with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, show
from hub.history import deliveries as history
from hub.models import Event

_COLUMNS = ("id", "account_id", "name", "contact_id", "conversation_id", "received_at")


@click.group("events")
def group() -> None:
    """What happened, as it was accepted."""


@group.command("list")
@click.option("--account")
@click.option("--before", type=int, help="Continue a list below this id.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=history.PAGE, show_default=True)
@json_option
@with_application
def list_(account: str | None, before: int | None, limit: int, as_json: bool) -> None:
    """List events, newest first."""
    account_id = accounts.find(account).id if account else None
    found = history.events(account_id, before=before, limit=limit)
    show([_row(event) for event in found], as_json, columns=_COLUMNS)


@group.command("show")
@click.argument("event", type=int)
@json_option
@with_application
def show_(event: int, as_json: bool) -> None:
    """Show one event with its payload."""
    found = history.event(event)
    if found is None:
        raise Failure(f"There is no event {event}.")
    show({**_row(found), "data": found.data, "payload": found.payload}, as_json)


def _row(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "account_id": event.account_id,
        "source_id": event.source_id,
        "name": event.name,
        "contact_id": event.contact_id,
        "conversation_id": event.conversation_id,
        "delivery_id": event.delivery_id,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
    }
