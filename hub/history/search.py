"""Searching events and deliveries, newest first, at a cost that does not grow with the history.

Conditions for which there is an index use it. Others (a text, an event's name) are searched in
windows of ids, a few for each request. So an answer may be 'nothing found back to this moment',
with a cursor to continue from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from hub.database import reading
from hub.history.deliveries import (
    PAGE,
    DeliveryFilter,
    about,
)
from hub.models import Delivery, Event, Hook, Source

#: How many ids one query searches, and how many queries are made for one page.
WINDOW = 5_000
WINDOWS = 4

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """A page. ``older`` is the cursor of the next page, if there is more to search. If the page is
    not full, ``searched_to`` says how far back was searched."""

    rows: Sequence[Row]
    older: int | None = None
    searched_to: datetime | None = None


def deliveries(
    wanted: DeliveryFilter, *, before: int | None = None, limit: int = PAGE
) -> Found[tuple[Delivery, Event]]:
    """Deliveries with their events, of the account that ``wanted`` names, or of all."""
    with reading() as session:
        hook_ids = _hook_ids(session, wanted)
        low, high = _bounds(session, Delivery.id, Delivery.created_at, wanted, before)
        query = (
            select(Delivery, Event)
            .join(Event, Event.id == Delivery.event_id)
            .where(*_event_criteria(session, wanted), *wanted.of_delivery())
            .order_by(Delivery.id.desc())
        )
        if _names_a_subject(wanted) or _needs_windows(wanted):
            query = query.where(Delivery.hook_id.in_(hook_ids))
            return _page(session, query, Delivery.id, Delivery.created_at, low, high, limit, wanted)
        # One query for each hook, since an index gives its rows in order. For a list of hooks, the
        # database would have to sort all rows.
        rows: list[tuple[Delivery, Event]] = []
        for hook_id in hook_ids:
            mine = query.where(Delivery.hook_id == hook_id, *_between(Delivery.id, low, high))
            rows += [(row[0], row[1]) for row in session.execute(mine.limit(limit))]
        rows = sorted(rows, key=lambda row: -row[0].id)[:limit]
        return Found(rows, older=rows[-1][0].id if len(rows) == limit else None)


def every_delivery(
    wanted: DeliveryFilter, *, before: int | None = None, limit: int = PAGE
) -> list[tuple[Delivery, Event]]:
    """As ``deliveries``, however far back it must look: for a command, which has the time."""
    rows: list[tuple[Delivery, Event]] = []
    while True:
        found = deliveries(wanted, before=before, limit=limit - len(rows))
        rows += found.rows
        before = found.older
        if before is None or len(rows) == limit:
            return rows


def events(
    wanted: DeliveryFilter, *, before: int | None = None, limit: int = PAGE
) -> Found[tuple[Event]]:
    """Events. Hook and state of the filter are ignored."""
    with reading() as session:
        low, high = _bounds(session, Event.id, Event.received_at, wanted, before)
        query = select(Event).where(*_event_criteria(session, wanted)).order_by(Event.id.desc())
        if not _names_a_subject(wanted):
            # The sources of a subject are the account's already, and their index serves better.
            query = query.where(Event.account_id == wanted.account_id)
        if wanted.text is not None:
            query = query.where(about(wanted.text))
        return _page(session, query, Event.id, Event.received_at, low, high, limit, wanted)


def contacts(account_id: int, text: str, *, limit: int = 10) -> Found[tuple[Event]]:
    """The newest event of each contact whose name, email or phone has this text."""
    found = events(DeliveryFilter(account_id, text=text), limit=500)
    newest: dict[tuple[int, str], tuple[Event]] = {}
    for row in found.rows:
        if row[0].contact_id is not None:
            newest.setdefault((row[0].source_id, row[0].contact_id), row)
    return Found(list(newest.values())[:limit], found.older, found.searched_to)


def _page(
    session: Session,
    query: Any,
    key: InstrumentedAttribute[int],
    moment: InstrumentedAttribute[datetime],
    low: int | None,
    high: int | None,
    limit: int,
    wanted: DeliveryFilter,
) -> Found[Any]:
    if not _needs_windows(wanted):
        rows = session.execute(query.where(*_between(key, low, high)).limit(limit)).all()
        full = len(rows) == limit
        return Found([tuple(row) for row in rows], rows[-1][0].id if full else None)
    newest = session.scalar(select(func.max(key))) or 0
    top = newest + 1 if high is None else min(high, newest + 1)
    bottom = low or 1
    rows = []
    for _ in range(WINDOWS):
        floor = max(top - WINDOW, bottom)
        window = query.where(*_between(key, floor, top)).limit(limit - len(rows))
        rows += session.execute(window).all()
        top = floor
        if len(rows) == limit:
            return Found([tuple(row) for row in rows], rows[-1][0].id)
        if floor <= bottom:
            return Found([tuple(row) for row in rows])
    searched_to = session.scalar(select(moment).where(key >= top).order_by(key).limit(1))
    return Found([tuple(row) for row in rows], top, searched_to)


def _hook_ids(session: Session, wanted: DeliveryFilter) -> Sequence[int]:
    query = select(Hook.id)
    if wanted.account_id is not None:
        query = query.where(Hook.account_id == wanted.account_id)
    if wanted.hook_id is not None:
        query = query.where(Hook.id == wanted.hook_id)
    return session.scalars(query).all()


def _event_criteria(session: Session, wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    criteria: list[ColumnElement[bool]] = []
    if wanted.event_name is not None:
        criteria.append(Event.name == wanted.event_name)
    if _names_a_subject(wanted):
        # The indexes of conversations and contacts begin with the source.
        sources = select(Source.id)
        if wanted.account_id is not None:
            sources = sources.where(Source.account_id == wanted.account_id)
        criteria.append(Event.source_id.in_(session.scalars(sources).all()))
    if wanted.conversation_id is not None:
        criteria.append(Event.conversation_id == wanted.conversation_id)
    if wanted.contact_id is not None:
        criteria.append(Event.contact_id == wanted.contact_id)
    return criteria


def _names_a_subject(wanted: DeliveryFilter) -> bool:
    """Whether one conversation or contact is named, of which there are few events."""
    return wanted.conversation_id is not None or wanted.contact_id is not None


def _needs_windows(wanted: DeliveryFilter) -> bool:
    """Whether no index answers."""
    return not _names_a_subject(wanted) and (
        wanted.text is not None or wanted.event_name is not None
    )


def _between(
    key: InstrumentedAttribute[int], low: int | None, high: int | None
) -> list[ColumnElement[bool]]:
    """From ``low``, and below ``high``."""
    criteria = []
    if low is not None:
        criteria.append(key >= low)
    if high is not None:
        criteria.append(key < high)
    return criteria


def _bounds(
    session: Session,
    key: InstrumentedAttribute[int],
    moment: InstrumentedAttribute[datetime],
    wanted: DeliveryFilter,
    before: int | None,
) -> tuple[int | None, int | None]:
    """The range of ids of the wanted time (ids grow with time)."""
    low = _first_at(session, key, moment, wanted.begin) if wanted.begin else None
    high = _first_at(session, key, moment, wanted.end) if wanted.end else None
    if before is not None:
        high = before if high is None else min(high, before)
    return low, high


def _first_at(
    session: Session,
    key: InstrumentedAttribute[int],
    moment: InstrumentedAttribute[datetime],
    wanted: datetime,
) -> int:
    """The lowest id whose row is not older than ``wanted``, found by binary search."""
    low, high = 0, (session.scalar(select(func.max(key))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        here = session.execute(
            select(key, moment).where(key >= middle).order_by(key).limit(1)
        ).one_or_none()
        if here is None or here[1] >= wanted:
            high = middle
        else:
            low = here[0] + 1
    return low
