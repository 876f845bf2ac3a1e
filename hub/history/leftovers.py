"""Open deliveries: those that will be delivered without a person, and those that wait for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.database import reading
from hub.delivery import kept
from hub.history.standing import (
    Cause,
    Connection,
    Standing,
    connections,
    held,
    leased,
    of_deliveries,
)
from hub.models import OPEN, Delivery, DeliveryState, Hook, Lane
from hub.services import registry


@dataclass(frozen=True, slots=True)
class Going:
    """A delivery that needs no person."""

    delivery_id: int
    connection: Connection
    standing: Standing

    def __str__(self) -> str:
        named = f"delivery {self.delivery_id} of {_named(self.connection)}"
        return f"{named}: {self.standing.in_english()}"


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries of a connection that wait for a person or are kept back: their number and the
    oldest."""

    connection: Connection
    count: int
    oldest_id: int
    standing: Standing

    def __str__(self) -> str:
        deliveries = f"{self.count} deliveries (the oldest is {self.oldest_id})"
        if self.count == 1:
            deliveries = f"delivery {self.oldest_id}"
        return f"{deliveries} of {_named(self.connection)}: {self.standing.in_english()}"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Open deliveries: how many need no person, the oldest of these, and those that are held."""

    going: int
    oldest_going: Going | None
    held: Sequence[Held]


def leftovers(plugins: Collection[str]) -> Leftovers:
    """What is owed still. ``plugins`` are the ids of those that can be used."""
    now = clock.now()
    going: list[tuple[int, int]] = []
    found: list[Held] = []
    with reading() as session:
        for connection in connections(session):
            owed = Delivery.hook_id == connection.id, Delivery.state.in_(OPEN)
            stopped = held(connection, plugins)
            waits = kept.IS_KEPT if stopped is None else ~_is_at_work(now)
            count, oldest = _number(session, *owed, waits)
            if count:
                why = stopped or _standing_of(session.get_one(Delivery, oldest), plugins)
                found.append(Held(connection, count, oldest, why))
            count, oldest = _number(session, *owed, ~waits)
            if count:
                going.append((oldest, count))
        if not going:
            return Leftovers(0, None, found)
        number = sum(count for _, count in going)
        oldest_going = session.get_one(Delivery, min(going)[0])
        (connection,) = connections(session, Hook.id == oldest_going.hook_id)
    first = Going(oldest_going.id, connection, _standing_of(oldest_going, plugins))
    return Leftovers(number, first, found)


def is_settled(plugins: Collection[str] | None = None) -> bool:
    """Whether no delivery is open except those that wait for a person, and no worker has a lane.

    ``plugins`` are the ids of those that can be used; those of the running application, if not
    given.
    """
    if plugins is None:
        plugins = registry().plugins
    now = clock.now()
    with reading() as session:
        if session.scalar(select(Lane.id).where(leased(now)).limit(1)) is not None:
            return False
        going = [one.id for one in connections(session) if held(one, plugins) is None]
        query = select(Delivery.id).where(
            Delivery.hook_id.in_(going), Delivery.state.in_(OPEN), ~kept.IS_KEPT
        )
        return session.scalar(query.limit(1)) is None


def _standing_of(delivery: Delivery, plugins: Collection[str]) -> Standing:
    # If the delivery has ended meanwhile, it was due.
    return of_deliveries([delivery], plugins).get(delivery.id, Standing(Cause.DUE))


def _number(session: Session, *conditions: ColumnElement[bool]) -> tuple[int, int]:
    """The number of these deliveries, and the id of the oldest (ids grow with time)."""
    row = session.execute(
        select(func.count(Delivery.id), func.coalesce(func.min(Delivery.id), 0)).where(*conditions)
    ).one()
    return row[0], row[1]


def _is_at_work(now: datetime) -> ColumnElement[bool]:
    """That a worker has the delivery. The worker finishes it even if its hook is stopped."""
    lanes = select(Lane.id).where(leased(now))
    return (Delivery.state == DeliveryState.RUNNING) & Delivery.lane_id.in_(lanes)


def _named(connection: Connection) -> str:
    return f"connection {connection.id} ({connection.name})"
