"""Choosing the next work of a lane, inside the transaction that also marks it as begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub.database import insert
from hub.delivery import breaker
from hub.delivery.context import HookView
from hub.delivery.lanes import Lease
from hub.delivery.policy import BreakerPolicy, RetryPolicy
from hub.models import (
    OPEN,
    WORKING,
    Account,
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Event,
    Hook,
)
from hub.plugins import Registry
from hub.sdk import events
from hub.sdk.plugin import Plugin

#: How far ahead in the lane is looked, for batches and for what supersedes what.
AHEAD = 100


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery to work on, and the number of its attempt."""

    delivery_id: int
    attempt: int
    bugs: int
    failing_since: datetime | None
    event: events.Event


@dataclass(frozen=True, slots=True)
class Work:
    """One delivery, or a batch of them, marked as running."""

    hook: HookView
    plugin: Plugin
    items: Sequence[Item]
    probe: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """No work now; ``due_at`` is when the lane's oldest open delivery is due, if there is one.

    ``hold_until`` says that the whole hook must not be called before that moment.
    """

    due_at: datetime | None
    hold_until: datetime | None = None


@dataclass(slots=True)
class _Waiting:
    """An open delivery of the lane, without its event's data."""

    id: int
    state: DeliveryState
    due_at: datetime | None
    attempts: int
    bugs: int
    failing_since: datetime | None
    event_id: int
    name: str
    contact_id: str | None
    conversation_id: str | None


def choose(
    session: Session,
    lease: Lease,
    registry: Registry,
    now: datetime,
    worker: str,
    retry: RetryPolicy,
    breaker_policy: BreakerPolicy,
) -> Work | Nothing:
    """The lane's next work. The caller holds the fence of the lane."""
    waiting = _open_deliveries(session, lease.lane_id)
    waiting = _bury_crashed(session, waiting, now, retry)
    if not waiting:
        return Nothing(None)
    head = waiting[0]
    hook = _hook(session, lease.hook_id)
    plugin = registry.plugins.get(hook.plugin_id) if hook else None
    if hook is None or plugin is None:
        return Nothing(head.due_at or now)
    if head.due_at is not None and head.due_at > now:
        return Nothing(head.due_at)
    gate = breaker.enter(session, lease.hook_id, now, breaker_policy)
    if not gate.open:
        return Nothing(head.due_at or now, hold_until=gate.retry_at)
    waiting = _supersede(session, waiting, plugin, now)
    chosen = waiting[:1] if gate.probe else _batch(waiting, plugin, now)
    return Work(hook, plugin, _begin(session, chosen, now, worker), gate.probe)


def following(
    session: Session, lease: Lease, after: int, names: Sequence[str]
) -> list[events.Event]:
    """The events of these names behind a delivery in its lane, oldest first."""
    rows = session.execute(
        select(Event.id, Event.data, Event.received_at)
        .join(Delivery, Delivery.event_id == Event.id)
        .where(
            Delivery.lane_id == lease.lane_id,
            Delivery.state.in_(OPEN),
            Delivery.id > after,
            Event.name.in_(names),
        )
        .order_by(Delivery.id)
        .limit(AHEAD)
    )
    return [_canonical(row.id, row.data, row.received_at) for row in rows]


def _canonical(event_id: int, data: Mapping[str, Any], received_at: datetime) -> events.Event:
    return replace(events.from_data({"id": event_id, **data}), received_at=received_at)


def _open_deliveries(session: Session, lane_id: int) -> list[_Waiting]:
    rows = session.execute(
        select(
            Delivery.id,
            Delivery.state,
            Delivery.due_at,
            Delivery.attempts,
            Delivery.bugs,
            Delivery.failing_since,
            Delivery.event_id,
            Event.name,
            Event.contact_id,
            Event.conversation_id,
        )
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.lane_id == lane_id, Delivery.state.in_(OPEN))
        .order_by(Delivery.id)
        .limit(AHEAD)
    )
    return [
        _Waiting(
            id=row.id,
            state=row.state,
            due_at=row.due_at,
            attempts=row.attempts,
            bugs=row.bugs,
            failing_since=row.failing_since,
            event_id=row.event_id,
            name=row.name,
            contact_id=row.contact_id,
            conversation_id=row.conversation_id,
        )
        for row in rows
    ]


def _bury_crashed(
    session: Session, waiting: list[_Waiting], now: datetime, retry: RetryPolicy
) -> list[_Waiting]:
    """Deliveries that are still running have lost their worker: it never said how it ended."""
    crashed = [item for item in waiting if item.state == DeliveryState.RUNNING]
    if not crashed:
        return waiting
    ids = [item.id for item in crashed]
    session.execute(
        update(Attempt)
        .where(Attempt.delivery_id.in_(ids), Attempt.outcome == AttemptOutcome.RUNNING)
        .values(
            outcome=AttemptOutcome.CRASHED,
            finished_at=now,
            detail="The worker ended before it could say how this attempt went.",
        )
    )
    for item in crashed:
        item.bugs += 1
        poison = item.bugs >= retry.bugs
        item.state = DeliveryState.DEAD if poison else DeliveryState.PENDING
        session.execute(
            update(Delivery)
            .where(Delivery.id == item.id)
            .values(
                state=item.state,
                bugs=item.bugs,
                finished_at=now if poison else None,
                reason=f"The worker died {item.bugs} times while it worked on this."
                if poison
                else "",
            )
        )
    return [item for item in waiting if item.state != DeliveryState.DEAD]


def _hook(session: Session, hook_id: int) -> HookView | None:
    """The hook, if its deliveries may be worked on now."""
    row = session.execute(
        select(
            Hook.id,
            Hook.account_id,
            Account.name,
            Account.default_region,
            Hook.plugin_id,
            Hook.settings,
            Hook.secrets,
            Hook.learned,
            Hook.calls_per_second,
        )
        .join(Account, Account.id == Hook.account_id)
        .where(Hook.id == hook_id, Hook.enabled, Hook.status.in_(WORKING))
    ).one_or_none()
    return HookView(*row) if row else None


def _supersede(
    session: Session, waiting: list[_Waiting], plugin: Plugin, now: datetime
) -> list[_Waiting]:
    """Leave out what a newer waiting event of the same subject says anyway."""
    head = waiting[0]
    if head.name not in plugin.processor.supersedable:
        return waiting
    subject = (head.name, head.contact_id, head.conversation_id)
    same = [w for w in waiting if (w.name, w.contact_id, w.conversation_id) == subject]
    if len(same) < 2:
        return waiting
    old = [item.id for item in same[:-1]]
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(old))
        .values(
            state=DeliveryState.SUPERSEDED,
            finished_at=now,
            due_at=None,
            reason="A newer event of the same subject was waiting behind it.",
        )
    )
    # The newest takes the place of the oldest, so that the order to other events is kept.
    return [same[-1], *(w for w in waiting if w not in same)]


def _batch(waiting: Sequence[_Waiting], plugin: Plugin, now: datetime) -> Sequence[_Waiting]:
    """The head, with what follows it directly and can be handled in the same call."""
    head = waiting[0]
    most = plugin.processor.batches.get(head.name, 1)
    batch = [head]
    for item in waiting[1:most]:
        same = (item.name, item.conversation_id) == (head.name, head.conversation_id)
        if not same or (item.due_at is not None and item.due_at > now):
            break
        batch.append(item)
    return batch


def _begin(session: Session, chosen: Sequence[_Waiting], now: datetime, worker: str) -> list[Item]:
    ids = [item.id for item in chosen]
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids))
        .values(state=DeliveryState.RUNNING, due_at=None, attempts=Delivery.attempts + 1, reason="")
    )
    session.execute(
        insert(session, Attempt),
        [
            {
                "delivery_id": item.id,
                "number": item.attempts + 1,
                "outcome": AttemptOutcome.RUNNING,
                "worker": worker,
                "started_at": now,
                "detail": "",
                "calls": [],
                "batch_of": ids[0] if item.id != ids[0] else None,
            }
            for item in chosen
        ],
    )
    event_ids = [item.event_id for item in chosen]
    rows = session.execute(
        select(Event.id, Event.data, Event.received_at).where(Event.id.in_(event_ids))
    )
    by_id = {row.id: _canonical(row.id, row.data, row.received_at) for row in rows}
    return [
        Item(
            item.id,
            item.attempts + 1,
            item.bugs,
            item.failing_since,
            by_id[item.event_id],
        )
        for item in chosen
    ]
