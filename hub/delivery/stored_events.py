"""Stored events: what the database holds of an event, read by whatever version runs now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub import log
from hub.plugins.faults import described
from hub.sdk import events

_log = log.get(__name__)


class UnreadableEvent(Exception):
    """What is stored of an event is not what this version of the hub can read."""


def canonical(event_id: int, data: Mapping[str, Any], received_at: datetime) -> events.Event:
    """The event of what is stored of it.

    :raises UnreadableEvent: it cannot be read.
    """
    try:
        return replace(events.from_data({"id": event_id, **data}), received_at=received_at)
    except Exception as error:  # another version of the hub may have written anything
        what = described(error)
        raise UnreadableEvent(
            f"What is stored of event {event_id} cannot be read ({what})."
        ) from error


def readable(row: Any) -> events.Event | None:
    """The event of a row (id, data, received_at); ``None`` if it cannot be read: it ends when its
    own turn comes."""
    try:
        return canonical(row.id, row.data, row.received_at)
    except UnreadableEvent as error:
        _log.warning("an event is passed over", reason=str(error))
        return None
