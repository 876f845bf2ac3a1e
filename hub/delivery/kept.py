"""Kept back: deliveries that wait, out of their lane, until it is known whose they are.

A kept-back delivery waits for the end of its keeping in a lane of its hook that has nothing else
in it, so it is in nobody's way, also while an older version of the hub runs. Nobody works on it
there. It leaves in one transaction, by a condition that only one can meet: into the lane of the
event that tells who the person is, back into its own when somebody insists, or skipped when its
time is over (docs/decisions/0010-kept-back.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, bindparam, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from hub.database import dialect_of, insert_into, table_of
from hub.database.prepared import (
    run,
    run_each,
)
from hub.models import OPEN, Delivery, DeliveryState, Event, KeptBack, Lane

if TYPE_CHECKING:
    from hub.sdk import events

#: The lane of a hook that holds what is kept back.
LANE_KEY = "kept back"
#: Deliveries whose keeping ends in one transaction.
BATCH = 500

_deliveries, _events, _lanes = table_of(Delivery), table_of(Event), table_of(Lane)
_kept = table_of(KeptBack)
_is_kept = (
    _deliveries.c.id == _kept.c.delivery_id,
    _deliveries.c.state == DeliveryState.WAITING,
    _deliveries.c.due_at == _kept.c.until,
)
_of_person = or_(
    _kept.c.contact == bindparam("contact"), _kept.c.conversation == bindparam("conversation")
)
_OF_PERSON = (
    select(_kept.c.delivery_id)
    .join(_deliveries, _deliveries.c.id == _kept.c.delivery_id)
    .where(
        _kept.c.hook_id == bindparam("of_hook"),
        _of_person,
        *_is_kept,
        # What came back with an event, and was kept back once more, waits for a newer one.
        or_(_deliveries.c.known_by.is_(None), _deliveries.c.known_by < bindparam("by_event")),
    )
)
_MOVE = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("this_delivery"))
    .values(lane_id=bindparam("into_lane"))
)
#: That a delivery is kept back, for queries of ``Delivery``.
IS_KEPT = select(_kept.c.delivery_id).where(*_is_kept).correlate(_deliveries).exists()
_SLIP = ("hook_id", "contact", "conversation", "until", "home_lane_id")


@cache
def _make_due(dialect: str) -> Executable:
    add = insert_into(dialect, _lanes).values(
        hook_id=bindparam("hook_id"), key=LANE_KEY, due_at=bindparam("due_at"), epoch=0
    )
    is_earlier = _lanes.c.due_at < add.excluded.due_at
    return add.on_conflict_do_update(
        index_elements=[_lanes.c.hook_id, _lanes.c.key],
        set_={"due_at": case((is_earlier, _lanes.c.due_at), else_=add.excluded.due_at)},
    ).returning(_lanes.c.id)


@cache
def _note(dialect: str) -> Executable:
    add = insert_into(dialect, _kept)
    return add.on_conflict_do_update(
        index_elements=[_kept.c.delivery_id],
        set_={name: getattr(add.excluded, name) for name in _SLIP},
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose an event is, as far as it is known: "<source>/<number>", or ``None``."""

    contact: str | None
    conversation: str | None

    @classmethod
    def of(cls, source_id: int, contact_id: str | None, conversation_id: str | None) -> Subject:
        """The subject of an event of this source."""
        contact = None if contact_id is None else f"{source_id}/{contact_id}"
        return cls(contact, None if conversation_id is None else f"{source_id}/{conversation_id}")

    @classmethod
    def of_event(cls, event: events.Event) -> Subject:
        """The subject of an event."""
        contact, conversation = event.contact, event.conversation
        return cls.of(
            event.source.id,
            contact.id if contact else None,
            conversation.id if conversation else None,
        )


def keep(
    session: Session,
    hook_id: int,
    home_lane_id: int,
    deliveries: Sequence[tuple[int, Subject, datetime]],
) -> None:
    """Put deliveries aside that wait until a moment (``due_at``), which is given with each.

    The caller holds the fence of their lane.
    """
    earliest = min(until for _, _, until in deliveries)
    lane_id = run(
        session, _make_due(dialect_of(session)), hook_id=hook_id, due_at=earliest
    ).scalar()
    run_each(
        session,
        _MOVE,
        [{"this_delivery": number, "into_lane": lane_id} for number, _, _ in deliveries],
    )
    run_each(
        session,
        _note(dialect_of(session)),
        [
            {
                "delivery_id": number,
                "hook_id": hook_id,
                "contact": subject.contact,
                "conversation": subject.conversation,
                "until": until,
                "home_lane_id": home_lane_id,
            }
            for number, subject, until in deliveries
        ],
    )


def of_hook(session: Session, hook_id: int) -> tuple[int, int]:
    """How many deliveries of a hook are kept back, and the oldest of them (0: none)."""
    row = session.execute(
        select(func.count(_deliveries.c.id), func.coalesce(func.min(_deliveries.c.id), 0))
        .select_from(_kept)
        .join(_deliveries, _deliveries.c.id == _kept.c.delivery_id)
        .where(_kept.c.hook_id == hook_id, *_is_kept)
    ).one()
    return row[0], row[1]


def of_person(session: Session, hook_id: int, subject: Subject, event_id: int) -> list[int]:
    """What of the contact and of the conversation is kept back, and would go with this event."""
    rows = run(
        session,
        _OF_PERSON,
        of_hook=hook_id,
        contact=subject.contact,
        conversation=subject.conversation,
        by_event=event_id,
    )
    return [row.delivery_id for row in rows]


def release(session: Session, delivery_ids: Sequence[int], lane_id: int, event_id: int) -> int:
    """Make deliveries owed in a lane whose fence the caller holds, since this event tells whose
    they are; returns how many nobody else had released.

    They are older than what the lane owes beside them, so they come first.
    """
    released = _take_out(
        session, delivery_ids, {"lane_id": lane_id, "known_by": event_id, "reason": ""}
    )
    return len(released)


def insist(session: Session, delivery_id: int) -> tuple[int, Sequence[int]]:
    """Make owed, in their own lanes, what is kept back of the delivery's conversation (without
    one: the delivery), although nobody is known; returns how many, and their lanes. Repeatable."""
    found = session.execute(
        select(KeptBack.hook_id, KeptBack.conversation).where(KeptBack.delivery_id == delivery_id)
    ).one_or_none()
    if found is None:
        return 0, []
    wanted = select(KeptBack.delivery_id, KeptBack.home_lane_id)
    if found.conversation is None:
        wanted = wanted.where(KeptBack.delivery_id == delivery_id)
    else:
        wanted = wanted.where(
            KeptBack.hook_id == found.hook_id, KeptBack.conversation == found.conversation
        )
    by_lane: dict[int, list[int]] = {}
    for row in session.execute(wanted):
        by_lane.setdefault(row.home_lane_id, []).append(row.delivery_id)
    count = 0
    for lane_id, ids in sorted(by_lane.items()):
        values = {"lane_id": lane_id, "insisted": True, "reason": ""}
        count += len(_take_out(session, ids, values))
    return count, sorted(by_lane)


def _take_out(
    session: Session, delivery_ids: Sequence[int], values: dict[str, Any]
) -> Sequence[int]:
    """Make kept-back deliveries owed; answers those that still were kept back. Of several who try
    at once, one is answered each of them: the second waits for the first, and looks again."""
    taken = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(delivery_ids), *_still_kept())
        .values(state=DeliveryState.PENDING, due_at=None, **values)
        .returning(Delivery.id),
        execution_options={"synchronize_session": False},
    ).all()
    _drop(session, taken)
    return taken


def _still_kept() -> tuple[Any, ...]:
    until = (
        select(KeptBack.until)
        .where(KeptBack.delivery_id == Delivery.id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    return Delivery.state == DeliveryState.WAITING, Delivery.due_at == until


def _drop(session: Session, delivery_ids: Sequence[int]) -> None:
    session.execute(delete(KeptBack).where(KeptBack.delivery_id.in_(delivery_ids)))


def send_home(session: Session, delivery_ids: Sequence[int]) -> None:
    """Put deliveries back into their own lanes, whatever becomes of them there."""
    home = (
        select(KeptBack.home_lane_id)
        .where(KeptBack.delivery_id == Delivery.id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    session.execute(
        update(Delivery)
        .where(
            Delivery.id.in_(delivery_ids),
            Delivery.id.in_(
                select(KeptBack.delivery_id).where(KeptBack.delivery_id.in_(delivery_ids))
            ),
        )
        .values(lane_id=home),
        execution_options={"synchronize_session": False},
    )
    _drop(session, delivery_ids)


def end(session: Session, lane_id: int, now: datetime) -> datetime | None:
    """Skip what has been kept back for long enough, in the lane that holds it, whose fence the
    caller holds; answers when the lane is due again, if it is.

    What an older version of the hub made owed in this lane goes back into its own.
    """
    # Imported here: with it comes the whole SDK, which who only looks does not need.
    from hub.sdk.translation import for_people

    open_here = (Delivery.lane_id == lane_id, Delivery.state.in_(OPEN))
    kept = select(KeptBack.delivery_id).where(
        KeptBack.delivery_id == Delivery.id, KeptBack.until == Delivery.due_at
    )
    strays = session.scalars(
        select(Delivery.id).where(*open_here, ~kept.exists()).limit(BATCH)
    ).all()
    if strays:
        homes = session.scalars(
            select(KeptBack.home_lane_id).where(KeptBack.delivery_id.in_(strays))
        ).all()
        send_home(session, strays)
        session.execute(
            update(Lane)
            .where(Lane.id.in_(homes), Lane.due_at.is_(None))
            .values(due_at=now, queued_at=None)
        )
    over = session.execute(
        select(Delivery.id, Delivery.due_at, Delivery.reason)
        .where(*open_here, Delivery.due_at <= now)
        .order_by(Delivery.id)
        .limit(BATCH)
    ).all()
    for number, until, reason in over:
        session.execute(
            update(Delivery)
            .where(Delivery.id == number, *_still_kept())
            .values(
                state=DeliveryState.SKIPPED,
                due_at=None,
                finished_at=now,
                reason=for_people(f"Kept back until {until:%Y-%m-%d}, in vain. {reason}"),
            ),
            execution_options={"synchronize_session": False},
        )
    send_home(session, [row.id for row in over])
    if len(over) == BATCH or len(strays) == BATCH:
        return now
    return session.scalar(select(func.min(Delivery.due_at)).where(*open_here))


_NEWEST_OF_CONTACT = (
    select(*_events.c["id", "data", "received_at"])
    .where(
        _events.c.source_id == bindparam("of_source"),
        _events.c.contact_id == bindparam("of_contact"),
        _events.c.id >= bindparam("since"),
    )
    .order_by(_events.c.id.desc())
    .limit(1)
)
_NEWEST_OF_OTHERS = (
    select(*_events.c["id", "data", "received_at"])
    .where(
        _events.c.source_id == bindparam("of_source"),
        _events.c.conversation_id == bindparam("of_conversation"),
        _events.c.contact_id.is_not(None),
        _events.c.contact_id != bindparam("of_contact"),
    )
    .order_by(_events.c.id.desc())
    .limit(1)
)


def tellers(session: Session, event: events.Event) -> Sequence[Any]:
    """Rows of the events that may tell whose this event is, which is being kept back: the newest of
    its contact from this one on, and the newest of its conversation with another contact, as there
    is one after a merge. They may have been accepted, or even delivered, a moment ago."""
    contact_id = event.contact.id if event.contact else ""
    values = {"of_source": event.source.id, "of_contact": contact_id}
    rows = run(session, _NEWEST_OF_CONTACT, **values, since=event.id).all()
    if event.conversation is None:
        return rows
    others = run(session, _NEWEST_OF_OTHERS, **values, of_conversation=event.conversation.id)
    return [*rows, *others]
