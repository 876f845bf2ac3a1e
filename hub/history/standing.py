"""Why a delivery is not done yet, in one sentence for page, list, API and command line.

The cause is decided here from the delivery, its connection, the circuit breaker and the current
time. The sentence is kept apart from its values, so that a page can translate it, and write moments
in the time zone of its reader.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, NewType

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import written
from hub.database import reading
from hub.delivery.order import in_order
from hub.models import (
    OPEN,
    WORKING,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Event,
    Hook,
    HookStatus,
    Lane,
)

Sentence = NewType("Sentence", str)

#: How many open deliveries of a lane are read to find the one that goes first.
AHEAD = 100


class Cause(enum.StrEnum):
    """What an open delivery waits for."""

    RUNNING = "running"
    WORKER_LOST = "worker_lost"
    PLUGIN_MISSING = "plugin_missing"
    OFF = "off"
    SETTING_UP = "setting_up"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    UNKNOWN = "unknown"
    KEPT_BACK = "kept_back"
    BREAKER_OPEN = "breaker_open"
    PROBING = "probing"
    REMOTE_PAUSE = "remote_pause"
    BACKOFF = "backoff"
    BEHIND = "behind"
    ORDERING = "ordering"
    DUE = "due"


SENTENCES: Final[Mapping[Cause, Sentence]] = {
    Cause.RUNNING: Sentence("A worker is at work on it."),
    Cause.WORKER_LOST: Sentence("Its worker ended in the middle of it. Another one takes it over."),
    Cause.PLUGIN_MISSING: Sentence("The plugin %(plugin)s is not installed, or it is broken."),
    Cause.OFF: Sentence("The connection is off."),
    Cause.SETTING_UP: Sentence("The connection is not set up yet."),
    Cause.PAUSED: Sentence("The connection is paused."),
    Cause.NEEDS_ATTENTION: Sentence("The connection needs attention."),
    Cause.UNKNOWN: Sentence(
        "The connection is in a state that this version of the hub does not know."
    ),
    Cause.KEPT_BACK: Sentence("Kept back until the person is known; skipped after %(until)s."),
    Cause.BREAKER_OPEN: Sentence(
        "The circuit breaker has been open since %(since)s. Next try: %(next_try)s."
    ),
    Cause.PROBING: Sentence(
        "The circuit breaker has been open since %(since)s. "
        "One try is under way to see whether calls succeed again."
    ),
    Cause.REMOTE_PAUSE: Sentence("The remote system asked for a pause. Next try: %(next_try)s."),
    Cause.BACKOFF: Sentence("Next try: %(next_try)s."),
    Cause.BEHIND: Sentence("Delivery %(first)s of the same lane goes first."),
    Cause.ORDERING: Sentence(
        "It waits until %(until)s, in case something that happened before it arrives after it."
    ),
    Cause.DUE: Sentence("It is due: the next free worker takes it."),
}

#: Causes that last until a person repairs or decides something.
FOR_A_PERSON: Final = frozenset(
    {
        Cause.PLUGIN_MISSING,
        Cause.OFF,
        Cause.SETTING_UP,
        Cause.PAUSED,
        Cause.NEEDS_ATTENTION,
        Cause.UNKNOWN,
    }
)

Value = datetime | int | str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a delivery waits for. ``why`` is a second sentence, from a plugin or a person."""

    cause: Cause
    values: Mapping[str, Value] = field(default_factory=dict)
    why: str = ""

    @property
    def sentence(self) -> Sentence:
        """The sentence, with the names of its values in it."""
        return SENTENCES[self.cause]

    def in_english(self, zone: tzinfo | None = None) -> str:
        """The whole sentence with its moments in a time zone; that of the machine, if not given."""
        values = {
            name: written(value, zone) if isinstance(value, datetime) else value
            for name, value in self.values.items()
        }
        return " ".join(filter(None, (self.sentence % values, self.why)))


class Connection(NamedTuple):
    """The columns of a hook and its breaker that are needed here: no secrets."""

    id: int
    name: str
    plugin_id: str
    enabled: bool
    status: HookStatus
    status_detail: str
    breaker: BreakerState | None = None
    retry_at: datetime | None = None
    opened_at: datetime | None = None
    breaker_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a delivery in its lane: whether a worker has the lane, which delivery goes
    first, and until when the delivery waits for events that its own may have overtaken."""

    has_worker: bool = False
    first: int | None = None
    settled_at: datetime | None = None


def connections(session: Session, *conditions: ColumnElement[bool]) -> list[Connection]:
    """The connections with their breakers, by id."""
    rows = session.execute(
        select(
            Hook.id,
            Hook.name,
            Hook.plugin_id,
            Hook.enabled,
            Hook.status,
            Hook.status_detail,
            Breaker.state,
            Breaker.retry_at,
            Breaker.opened_at,
            Breaker.reason,
        )
        .outerjoin(Breaker, Breaker.hook_id == Hook.id)
        .where(*conditions)
        .order_by(Hook.id)
    )
    return [Connection._make(row) for row in rows]


def shown_status(plugin_id: str, status: HookStatus, plugins: Collection[str]) -> str:
    """What people are told of a hook's status: without its plugin the rest says nothing."""
    return status.value if plugin_id in plugins else Cause.PLUGIN_MISSING.value


def plugin_missing(plugin_id: str) -> Standing:
    """What is said of a connection whose plugin cannot be used."""
    return Standing(Cause.PLUGIN_MISSING, {"plugin": plugin_id})


def held(connection: Connection, plugins: Collection[str]) -> Standing | None:
    """Why all that the connection is owed waits for a person, if it does. ``plugins`` are the ids
    of those that can be used."""
    if connection.plugin_id not in plugins:
        return plugin_missing(connection.plugin_id)
    if not connection.enabled:
        return Standing(Cause.OFF)
    if connection.status in WORKING:
        return None
    if connection.status not in HookStatus.__members__.values():
        return Standing(Cause.UNKNOWN, why=connection.status_detail)
    return Standing(Cause(connection.status.value), why=connection.status_detail)


def standing(
    delivery: Delivery,
    connection: Connection,
    place: Place,
    plugins: Collection[str],
    now: datetime,
) -> Standing | None:
    """What a delivery waits for; ``None`` if it has ended."""
    if delivery.state not in OPEN:
        return None
    is_running = delivery.state == DeliveryState.RUNNING
    if is_running and place.has_worker:
        return Standing(Cause.RUNNING)  # the worker finishes it even if the connection is stopped
    if stopped := held(connection, plugins):
        return stopped
    if delivery.kept_until is not None:
        return Standing(Cause.KEPT_BACK, {"until": delivery.kept_until}, delivery.reason)
    if behind_breaker := _held_by_breaker(delivery, connection, now):
        return behind_breaker
    if is_running:
        return Standing(Cause.WORKER_LOST)
    if place.first is not None:
        return Standing(Cause.BEHIND, {"first": place.first})
    if delivery.due_at is not None and delivery.due_at > now:
        return Standing(Cause.BACKOFF, {"next_try": delivery.due_at}, delivery.reason)
    is_waiting = delivery.due_at is None and place.settled_at is not None
    if is_waiting and place.settled_at and place.settled_at > now:
        return Standing(Cause.ORDERING, {"until": place.settled_at})
    return Standing(Cause.DUE)


def _held_by_breaker(delivery: Delivery, connection: Connection, now: datetime) -> Standing | None:
    next_try = max(delivery.due_at or now, connection.retry_at or now, now)
    why = connection.breaker_reason or ""
    if connection.breaker in (None, BreakerState.CLOSED):
        if connection.retry_at is None or connection.retry_at <= now:
            return None
        return Standing(Cause.REMOTE_PAUSE, {"next_try": next_try})
    since = connection.opened_at or now
    if connection.breaker == BreakerState.HALF_OPEN and (connection.retry_at or now) > now:
        return Standing(Cause.PROBING, {"since": since}, why)
    return Standing(Cause.BREAKER_OPEN, {"since": since, "next_try": next_try}, why)


def of_deliveries(
    deliveries: Collection[Delivery], plugins: Collection[str]
) -> Mapping[int, Standing]:
    """What the open deliveries among these wait for, by their ids."""
    owed = [delivery for delivery in deliveries if delivery.state in OPEN]
    if not owed:
        return {}
    now = clock.now()
    with reading() as session:
        hook_ids = {delivery.hook_id for delivery in owed}
        by_id = {one.id: one for one in connections(session, Hook.id.in_(hook_ids))}
        lanes = _Lanes(session, now)
        stand = {
            one.id: standing(one, by_id[one.hook_id], lanes.place(one), plugins, now)
            for one in owed
            if one.hook_id in by_id
        }
    return {number: found for number, found in stand.items() if found is not None}


class _Queued(NamedTuple):
    """An open delivery of a lane, as ``in_order`` wants it."""

    id: int
    attempts: int
    name: str
    message_id: str | None
    ordered_at: datetime | None
    settled_at: datetime | None


class _Lanes:
    """The lanes of some deliveries, each read once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self._has_worker: dict[int, bool] = {}
        self._queued: dict[int, Sequence[_Queued]] = {}

    def place(self, delivery: Delivery) -> Place:
        """Where the delivery stands in its lane."""
        lane_id = delivery.lane_id
        if lane_id not in self._queued:
            self._queued[lane_id] = self._read(lane_id)
            self._has_worker[lane_id] = has_worker(self._session, lane_id, self._now)
        queued = self._queued[lane_id]
        own = next((one for one in queued if one.id == delivery.id), None)
        first = queued[0].id if queued and queued[0].id != delivery.id else None
        return Place(self._has_worker[lane_id], first, own.settled_at if own else None)

    def _read(self, lane_id: int) -> Sequence[_Queued]:
        rows = self._session.execute(
            select(
                Delivery.id,
                Delivery.attempts,
                Event.name,
                Event.message_id,
                Event.ordered_at,
                Event.settled_at,
            )
            .join(Event, Event.id == Delivery.event_id)
            .where(Delivery.lane_id == lane_id, Delivery.state.in_(OPEN))
            .order_by(Delivery.id)
            .limit(AHEAD)
        )
        return in_order([_Queued(*row) for row in rows])


def leased(now: datetime) -> ColumnElement[bool]:
    """That a worker has the lane."""
    return Lane.owner.is_not(None) & (Lane.lease_until >= now)


def has_worker(session: Session, lane_id: int, now: datetime) -> bool:
    """Whether a worker has the lane."""
    query = select(Lane.id).where(Lane.id == lane_id, leased(now))
    return session.scalar(query) is not None
