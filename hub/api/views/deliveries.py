"""Events, deliveries and links."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hub.access.permissions import Permission
from hub.api.operations import operation
from hub.api.schemas import deliveries as schemas
from hub.api.schemas import parts
from hub.api.views.accounts import ACCOUNT
from hub.errors import (
    NotFound,
    Refused,
)
from hub.history import (
    deliveries as history,
)
from hub.history import (
    records,
    replay,
    search,
    standing,
)
from hub.history.deliveries import DeliveryFilter
from hub.history.standing import Standing
from hub.models import Delivery, Event
from hub.services import registry

DELIVERY = f"{ACCOUNT}/deliveries/<int:delivery_id>"


@operation(
    "GET",
    f"{ACCOUNT}/events",
    Permission.LOOK,
    query=schemas.EventQuery,
    answer=schemas.EventPage,
)
def event_list(account_id: int, query: dict[str, Any]) -> Any:
    """Events, newest first. A short page may have a next one: it searched only so far."""
    found = search.events(
        _filter(account_id, query), before=query.get("cursor"), limit=query["limit"]
    )
    return {"items": [row[0] for row in found.rows], "next": found.older}


@operation(
    "GET",
    f"{ACCOUNT}/events/<int:event_id>",
    Permission.LOOK,
    answer=schemas.EventWithPayload,
)
def event_show(account_id: int, event_id: int) -> Any:
    """An event with the webhook it came in."""
    found = history.event(event_id)
    if found is None:
        raise NotFound("There is no such event.")
    return found


@operation(
    "GET",
    f"{ACCOUNT}/deliveries",
    Permission.LOOK,
    query=schemas.DeliveryQuery,
    answer=schemas.DeliveryPage,
)
def delivery_list(account_id: int, query: dict[str, Any]) -> Any:
    """Deliveries, newest first. A short page may have a next one: it searched only so far."""
    found = search.deliveries(
        _filter(account_id, query), before=query.get("cursor"), limit=query["limit"]
    )
    standings = standing.of_deliveries([row for row, _ in found.rows], registry().plugins)
    items = [_told(row, event, standings.get(row.id)) for row, event in found.rows]
    return {"items": items, "next": found.older}


@operation(
    "POST",
    f"{ACCOUNT}/deliveries/replay",
    Permission.REPAIR,
    query=schemas.ReplayQuery,
    answer=parts.Count,
)
def delivery_replay_all(account_id: int, query: dict[str, Any]) -> Any:
    """Make all deliveries of a filter owed again, at most 10,000; ``dry_run`` counts them only."""
    wanted = _filter(account_id, query)
    if query["dry_run"]:
        return {"deliveries": replay.count(wanted, replay.MOST)}
    return {"deliveries": replay.replay_all(wanted, replay.MOST)}


@operation("GET", DELIVERY, Permission.LOOK, answer=schemas.DeliveryStory)
def delivery_show(account_id: int, delivery_id: int) -> Any:
    """A delivery with its event and every attempt."""
    found = history.delivery(delivery_id)
    if found is None:
        raise NotFound("There is no such delivery.")
    row, event, attempts = found
    found_standing = standing.of_deliveries([row], registry().plugins).get(row.id)
    return {**_told(row, event, found_standing), "tries": attempts}


@operation("POST", f"{DELIVERY}/replay", Permission.REPAIR, status=204)
def delivery_replay(account_id: int, delivery_id: int) -> None:
    """Make a delivery owed again. What exists in the CRM is not made twice."""
    if not replay.replay(delivery_id):
        raise Refused("This delivery is owed already.")


@operation("POST", f"{DELIVERY}/insist", Permission.REPAIR, answer=parts.Count)
def delivery_insist(account_id: int, delivery_id: int) -> Any:
    """Create the ticket now: deliver what is kept back of the conversation, whoever it is."""
    count = replay.insist(delivery_id)
    if not count:
        raise Refused("This delivery is not kept back, or its plugin cannot go on without anybody.")
    return {"deliveries": count}


@operation("POST", f"{DELIVERY}/skip", Permission.REPAIR, body=parts.Reason, status=204)
def delivery_skip(account_id: int, delivery_id: int, body: dict[str, Any]) -> None:
    """Give a delivery up that waits or failed."""
    if not replay.skip(delivery_id, body["reason"]):
        raise Refused("Only a delivery that waits or failed can be skipped.")


@operation(
    "GET",
    f"{ACCOUNT}/links",
    Permission.LOOK,
    query=schemas.LinkQuery,
    answer=schemas.Links,
)
def link_list(account_id: int, query: dict[str, Any]) -> Any:
    """What a contact, or a conversation, is called in every CRM."""
    if len(query) != 1:
        raise Refused("Name a contact_id or a conversation_id.")
    return {
        "items": records.of_subject(
            account_id, query.get("contact_id"), query.get("conversation_id")
        )
    }


def _filter(account_id: int, query: dict[str, Any]) -> DeliveryFilter:
    given = {name.removesuffix("_id"): value for name, value in query.items()}
    return DeliveryFilter.of(given, account_id=account_id)


def _told(row: Delivery, event: Event, found: Standing | None) -> dict[str, Any]:
    names = schemas.Delivery().fields
    told = {name: getattr(row, name) for name in names if name != "standing"}
    if found is not None:
        told["reason"] = found.in_english(UTC)
        told["standing"] = {**found.values, "cause": found.cause, "why": found.why}
    return {**told, "event": event}
