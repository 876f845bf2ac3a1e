"""Reading what happened: events, deliveries and attempts, newest first, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import undefer

from hub.database import reading
from hub.delivery import kept
from hub.models import Attempt, Delivery, DeliveryState, Event, Hook

#: What people choose deliveries by: their states, and one that is part of ``waiting``.
KEPT_BACK = "kept_back"
STATES = (*(state.value for state in DeliveryState), KEPT_BACK)
#: Rows of a page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; ``None`` does not restrict.

    ``text`` is part of the contact's name, email or phone, or of the delivery's sentence.
    """

    account_id: int | None = None
    hook_id: int | None = None
    state: DeliveryState | None = None
    event_name: str | None = None
    conversation_id: str | None = None
    contact_id: str | None = None
    text: str | None = None
    #: Kept back, or not.
    kept: bool | None = None
    begin: datetime | None = None
    end: datetime | None = None

    @property
    def is_kept(self) -> ColumnElement[bool]:
        """That a delivery is kept back, or is not, as ``kept`` wants it."""
        return kept.IS_KEPT if self.kept else ~kept.IS_KEPT

    def in_state(self, state: str | None) -> DeliveryFilter:
        """The filter with a state by its name; ``kept_back`` are those of the waiting ones that
        nothing but the person's name is missing for."""
        if state in (KEPT_BACK, DeliveryState.WAITING):
            return replace(self, state=DeliveryState.WAITING, kept=state == KEPT_BACK)
        return replace(self, state=DeliveryState(state) if state else None)

    def told(self) -> dict[str, Any]:
        """What it restricts, by the names that people know, as it stands in the audit log."""
        state = KEPT_BACK if self.kept else self.state
        values = {
            "hook": self.hook_id,
            "state": None if state is None else str(state),
            "event": self.event_name,
            "conversation": self.conversation_id,
            "contact": self.contact_id,
            "text": self.text,
            "begin": None if self.begin is None else self.begin.isoformat(),
            "end": None if self.end is None else self.end.isoformat(),
        }
        return {name: value for name, value in values.items() if value is not None}

    def applied_to(self, query: Any) -> Any:
        """The query, restricted. It must join ``Event`` to ``Delivery``."""
        for column, value in (
            (Delivery.hook_id, self.hook_id),
            (Delivery.state, self.state),
            (Event.name, self.event_name),
            (Event.conversation_id, self.conversation_id),
            (Event.contact_id, self.contact_id),
        ):
            if value is not None:
                query = query.where(column == value)
        if self.kept is not None:
            query = query.where(self.is_kept)
        if self.account_id is not None:
            # By its hooks: an index knows the states of a hook's deliveries, none an account's.
            mine = select(Hook.id).where(Hook.account_id == self.account_id)
            query = query.where(Delivery.hook_id.in_(mine))
        if self.text is not None:
            query = query.where(or_(about(self.text), contains(Delivery.reason, self.text)))
        if self.begin is not None:
            query = query.where(Delivery.created_at >= self.begin)
        if self.end is not None:
            query = query.where(Delivery.created_at < self.end)
        return query


def about(text: str) -> ColumnElement[bool]:
    """That the event's contact has this text in its name, email or phone."""
    contact = Event.data["contact"]
    return or_(*(contains(contact[part].as_string(), text) for part in ("name", "email", "phone")))


def contains(value: Any, text: str) -> ColumnElement[bool]:
    """That the value has this text in it, in letters of whatever case."""
    found: ColumnElement[bool] = func.lower(value).contains(text.lower(), autoescape=True)
    return found


def deliveries(
    wanted: DeliveryFilter, *, before: int | None = None, limit: int = PAGE
) -> Sequence[tuple[Delivery, Event]]:
    """Deliveries with their events, newest first; ``before`` is the last id of the page before."""
    query = wanted.applied_to(
        select(Delivery, Event).join(Event, Event.id == Delivery.event_id)
    ).order_by(Delivery.id.desc())
    if before is not None:
        query = query.where(Delivery.id < before)
    with reading() as session:
        return [(row[0], row[1]) for row in session.execute(query.limit(limit))]


def delivery(delivery_id: int) -> tuple[Delivery, Event, Sequence[Attempt]] | None:
    """One delivery with its event (payload included) and all attempts, oldest first."""
    with reading() as session:
        row = session.execute(
            select(Delivery, Event)
            .join(Event, Event.id == Delivery.event_id)
            .where(Delivery.id == delivery_id)
            .options(undefer(Event.payload))
        ).one_or_none()
        if row is None:
            return None
        attempts = session.scalars(
            select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.number)
        ).all()
        return row[0], row[1], attempts


def deliveries_of_event(event_id: int) -> Sequence[Delivery]:
    """What was owed for one event, a delivery for each hook."""
    with reading() as session:
        return session.scalars(
            select(Delivery).where(Delivery.event_id == event_id).order_by(Delivery.hook_id)
        ).all()


def events(
    account_id: int | None = None, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Event]:
    """Events, newest first; ``before`` is the last id of the page before."""
    query = select(Event).order_by(Event.id.desc())
    if account_id is not None:
        query = query.where(Event.account_id == account_id)
    if before is not None:
        query = query.where(Event.id < before)
    with reading() as session:
        return session.scalars(query.limit(limit)).all()


def event(event_id: int) -> Event | None:
    """One event with its payload."""
    with reading() as session:
        return session.scalar(
            select(Event).where(Event.id == event_id).options(undefer(Event.payload))
        )
