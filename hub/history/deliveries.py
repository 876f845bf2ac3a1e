"""Reading what happened: events, deliveries and attempts, newest first, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import undefer

from hub.database import reading
from hub.delivery import kept
from hub.errors import Refused
from hub.models import Attempt, Delivery, DeliveryState, Event, Hook

#: The states by which people filter: those of deliveries, and ``kept_back``, a part of ``waiting``.
KEPT_BACK = "kept_back"
STATES = (*(state.value for state in DeliveryState), KEPT_BACK)
#: What a filter may name, as pages, commands and the audit log call it.
NAMES = ("hook", "state", "event", "conversation", "contact", "text", "begin", "end")
#: Rows on one page.
PAGE = 50


class BadFilter(Refused):
    """What is asked for cannot be understood."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are wanted. ``None`` means any.

    ``text`` is part of the contact's name, email or phone, or of the delivery's sentence.
    """

    account_id: int | None = None
    hook_id: int | None = None
    state: DeliveryState | None = None
    event_name: str | None = None
    conversation_id: str | None = None
    contact_id: str | None = None
    text: str | None = None
    #: Only those that are kept back, or only those that are not.
    kept: bool | None = None
    begin: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any],
        *,
        account_id: int | None = None,
        zone: tzinfo | None = None,
    ) -> DeliveryFilter:
        """The filter that somebody has given by ``NAMES``; other names are none of it.

        A moment is a text or a moment. One without a time zone is meant in ``zone``, or in that
        of the machine.

        :raises BadFilter: there is no such state, or a moment is none.
        """
        state = given.get("state")
        if state and state not in STATES:
            raise BadFilter(f"There is no state {state}; there are: {', '.join(STATES)}.")
        return cls(
            account_id=account_id,
            hook_id=given.get("hook") or None,
            event_name=given.get("event") or None,
            conversation_id=given.get("conversation") or None,
            contact_id=given.get("contact") or None,
            text=given.get("text") or None,
            begin=_moment("begin", given, zone),
            end=_moment("end", given, zone),
        ).in_state(state)

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

    def of_delivery(self) -> list[ColumnElement[bool]]:
        """What it wants of a delivery itself: its state, and the text. Needs ``Event`` beside."""
        wanted: list[ColumnElement[bool]] = []
        if self.state is not None:
            wanted.append(Delivery.state == self.state)
        if self.kept is not None:
            wanted.append(kept.IS_KEPT if self.kept else ~kept.IS_KEPT)
        if self.text is not None:
            wanted.append(or_(about(self.text), contains(Delivery.reason, self.text)))
        return wanted

    def applied_to(self, query: Any) -> Any:
        """The query, restricted. It must join ``Event`` to ``Delivery``."""
        for column, value in (
            (Delivery.hook_id, self.hook_id),
            (Event.name, self.event_name),
            (Event.conversation_id, self.conversation_id),
            (Event.contact_id, self.contact_id),
        ):
            if value is not None:
                query = query.where(column == value)
        query = query.where(*self.of_delivery())
        if self.account_id is not None:
            # By its hooks: an index knows the states of a hook's deliveries, none an account's.
            mine = select(Hook.id).where(Hook.account_id == self.account_id)
            query = query.where(Delivery.hook_id.in_(mine))
        if self.begin is not None:
            query = query.where(Delivery.created_at >= self.begin)
        if self.end is not None:
            query = query.where(Delivery.created_at < self.end)
        return query


def _moment(name: str, given: Mapping[str, Any], zone: tzinfo | None) -> datetime | None:
    value = given.get(name)
    if not value:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except ValueError:
        raise BadFilter(f"'{name}' must be a moment such as 2026-07-14T10:30.") from None
    if moment.tzinfo is not None:
        return moment
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def about(text: str) -> ColumnElement[bool]:
    """That the event's contact has this text in its name, email or phone."""
    contact = Event.data["contact"]
    return or_(*(contains(contact[part].as_string(), text) for part in ("name", "email", "phone")))


def contains(value: Any, text: str) -> ColumnElement[bool]:
    """That the value has this text in it, in letters of whatever case."""
    found: ColumnElement[bool] = func.lower(value).contains(text.lower(), autoescape=True)
    return found


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
