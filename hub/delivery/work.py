"""Choosing the next work of a lane, inside the transaction that also marks it as begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from hub import log
from hub.database import table_of
from hub.database.prepared import (
    look,
    run,
    run_each,
)
from hub.delivery import breaker, dead_letters, kept
from hub.delivery.context import HookView
from hub.delivery.engine import Engine
from hub.delivery.lanes import Lease
from hub.delivery.order import in_order
from hub.delivery.stored_events import canonical, readable
from hub.models import (
    OPEN,
    WORKING,
    Account,
    Attempt,
    AttemptOutcome,
    Breaker,
    Delivery,
    DeliveryState,
    Event,
    Hook,
    KeptBack,
)
from hub.plugins.faults import described
from hub.policy import RetryPolicy
from hub.sdk import events
from hub.sdk.plugin import Plugin
from hub.sdk.translation import for_people

_deliveries, _events, _attempts = table_of(Delivery), table_of(Event), table_of(Attempt)
_hooks, _accounts, _breakers = table_of(Hook), table_of(Account), table_of(Breaker)
_kept = table_of(KeptBack)

_log = log.get(__name__)

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
    #: The event that told whose it is, after it was kept back.
    known_by: int | None
    insisted: bool


@dataclass(frozen=True, slots=True)
class Work:
    """One delivery, or a batch of them, marked as running; ``is_last`` if nothing else waits in
    the lane."""

    hook: HookView
    plugin: Plugin
    items: Sequence[Item]
    probe: bool
    is_last: bool
    #: The identity keys that were claimed for it ahead.
    claims: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Nothing:
    """No work now; ``due_at`` is when the lane's oldest open delivery is due, if there is one.

    ``hold_until`` says that the whole hook must not be called before that moment; ``is_ready`` that
    any worker may take the lane as soon as it is due.
    """

    due_at: datetime | None
    hold_until: datetime | None = None
    is_ready: bool = False


@dataclass(slots=True)
class Waiting:
    """An open delivery of the lane, without its event's data."""

    id: int
    state: DeliveryState
    due_at: datetime | None
    attempts: int
    bugs: int
    failing_since: datetime | None
    known_by: int | None
    insisted: bool | None
    event_id: int
    name: str
    source_id: int
    contact_id: str | None
    conversation_id: str | None
    message_id: str | None
    ordered_at: datetime | None
    settled_at: datetime | None

    @property
    def not_before(self) -> datetime | None:
        """When it may be worked on: it waits for its next try, or for what it has overtaken."""
        return self.due_at or self.settled_at

    def is_due(self, now: datetime) -> bool:
        """Whether it may be worked on."""
        return self.not_before is None or self.not_before <= now


#: The columns in the order of ``Waiting``.
_OPEN_DELIVERIES = (
    select(
        *_deliveries.c["id", "state", "due_at", "attempts", "bugs", "failing_since"],
        *_deliveries.c["known_by", "insisted", "event_id"],
        *_events.c["name", "source_id", "contact_id", "conversation_id", "message_id"],
        *_events.c["ordered_at", "settled_at"],
    )
    .join(_events, _events.c.id == _deliveries.c.event_id)
    .where(_deliveries.c.lane_id == bindparam("lane_id"), _deliveries.c.state.in_(OPEN))
    .order_by(_deliveries.c.id)
    .limit(AHEAD)
)
_EVENTS_OF = select(*_events.c["id", "data", "received_at"]).where(
    _events.c.id.in_(bindparam("event_ids", expanding=True))
)
#: The columns in the order of ``HookView``, then whether it keeps anything back, and what is seen
#: of its breaker.
_WORKING_HOOK = (
    select(
        *_hooks.c["id", "account_id"],
        *_accounts.c["name", "default_region"],
        *_hooks.c["plugin_id", "settings", "secrets", "learned", "calls_per_second", "doors"],
        select(_kept.c.delivery_id).where(_kept.c.hook_id == _hooks.c.id).exists(),
        *breaker.SEEN,
    )
    .join(_accounts, _accounts.c.id == _hooks.c.account_id)
    .outerjoin(_breakers, _breakers.c.hook_id == _hooks.c.id)
    .where(_hooks.c.id == bindparam("hook_id"), _hooks.c.enabled, _hooks.c.status.in_(WORKING))
)
_BEGIN = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("delivery_id"))
    .values(
        state=DeliveryState.RUNNING, due_at=None, attempts=_deliveries.c.attempts + 1, reason=""
    )
)
_ATTEMPT = insert(_attempts).inline()


def choose(session: Session, engine: Engine, lease: Lease, now: datetime) -> Work | Nothing:
    """The lane's next work. The caller holds the fence of the lane."""
    if lease.key == kept.LANE_KEY:
        return Nothing(kept.end(session, lease.lane_id, now))
    waiting = open_deliveries(session, lease.lane_id)
    waiting = _bury_crashed(session, waiting, now, engine.policies.retry)
    if not waiting:
        return Nothing(None)
    head = waiting[0]
    row = run(session, _WORKING_HOOK, hook_id=lease.hook_id).one_or_none()
    if row is None:
        return Nothing(head.not_before or now)
    *of_hook, keeps_back = row[: -len(breaker.SEEN)]
    hook = HookView(*of_hook)
    plugin = engine.registry.plugins.get(hook.plugin_id)
    if plugin is None:
        return Nothing(head.not_before or now)
    hook = hook.read_by(plugin.settings)
    if not head.is_due(now):
        return Nothing(head.not_before)
    seen = breaker.Seen(*row[-len(breaker.SEEN) :])
    gate = breaker.enter(session, seen, now, engine.policies.breaker)
    if not gate.open:
        return Nothing(head.not_before or now, hold_until=gate.retry_at)
    if keeps_back and _release(session, lease, hook, plugin, head):
        waiting = open_deliveries(session, lease.lane_id)
    waiting = _supersede(session, waiting, plugin, now)
    chosen = waiting[:1] if gate.probe else _batch(waiting, plugin, now)
    items = _items(session, chosen)
    begin(session, chosen[: len(items)], now, engine.worker)
    return Work(hook, plugin, items, gate.probe, is_last=len(items) == len(waiting))


def _release(session: Session, lease: Lease, hook: HookView, plugin: Plugin, head: Waiting) -> bool:
    """Whether the head of the lane tells who somebody is of whom something was kept back: that
    comes before it now."""
    subject = kept.Subject.of(head.source_id, head.contact_id, head.conversation_id)
    ids = kept.of_person(session, lease.hook_id, subject, head.event_id)
    if not ids:
        return False
    (row,) = run(session, _EVENTS_OF, event_ids=[head.event_id])
    event = canonical(row.id, row.data, row.received_at)
    if not tells_who(plugin, event, hook.default_region):
        return False
    return kept.release(session, ids, lease.lane_id, head.event_id) > 0


def tells_who(plugin: Plugin, event: events.Event, default_region: str | None) -> bool:
    """Whether an event tells who its person is. It does if the plugin fails to say: so what was
    kept back is handled again, and not kept for ever."""
    try:
        return bool(plugin.processor.is_known(event, default_region))
    except BaseException as error:  # a bug of the plugin must not keep its lane from being taken
        _log.warning("whether a person is known is not told", error=described(error))
        return True


def leave(session: Session, lease: Lease, now: datetime) -> Nothing:
    """No more work for a worker that was told to stop, whatever is due."""
    waiting = open_deliveries(session, lease.lane_id)
    return Nothing((waiting[0].not_before or now) if waiting else None)


def following(lease: Lease, names: Sequence[str]) -> list[events.Event]:
    """The events of these names behind the work in progress in its lane, in their order."""
    waiting = in_order([Waiting(*row) for row in look(_OPEN_DELIVERIES, lane_id=lease.lane_id)])
    wanted = [w.event_id for w in waiting if w.name in names and w.state != DeliveryState.RUNNING]
    if not wanted:
        return []
    found = {row.id: readable(row) for row in look(_EVENTS_OF, event_ids=wanted)}
    return [event for event_id in wanted if (event := found.get(event_id)) is not None]


def open_deliveries(session: Session, lane_id: int) -> list[Waiting]:
    """What the lane owes, in the order in which it is worked on."""
    return in_order([Waiting(*row) for row in run(session, _OPEN_DELIVERIES, lane_id=lane_id)])


def _bury_crashed(
    session: Session, waiting: list[Waiting], now: datetime, retry: RetryPolicy
) -> list[Waiting]:
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
            detail=for_people("The worker ended before it could say how this attempt went."),
        )
    )
    for item in crashed:
        item.bugs += 1
        poison = item.bugs >= retry.bugs
        item.state = DeliveryState.DEAD if poison else DeliveryState.PENDING
        reason = for_people(f"The worker died {item.bugs} times while it worked on this.")
        session.execute(
            update(Delivery)
            .where(Delivery.id == item.id)
            .values(
                state=item.state,
                bugs=item.bugs,
                finished_at=now if poison else None,
                reason=reason if poison else "",
            )
        )
        if poison:
            dead_letters.tell(session, item.id, reason)
    return [item for item in waiting if item.state != DeliveryState.DEAD]


def _supersede(
    session: Session, waiting: list[Waiting], plugin: Plugin, now: datetime
) -> list[Waiting]:
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
            reason=for_people("A newer event of the same subject was waiting behind it."),
        )
    )
    # The newest takes the place of the oldest, so that the order to other events is kept.
    return [same[-1], *(w for w in waiting if w not in same)]


def _batch(waiting: Sequence[Waiting], plugin: Plugin, now: datetime) -> Sequence[Waiting]:
    """The head, with what follows it directly and can be handled in the same call."""
    head = waiting[0]
    most = plugin.processor.batches.get(head.name, 1)
    batch = [head]
    for item in waiting[1:most]:
        same = _kind(item) == _kind(head)
        if not (same and item.is_due(now)):
            break
        batch.append(item)
    return batch


def _kind(item: Waiting) -> tuple[object, ...]:
    """What the deliveries of one batch share."""
    return item.name, item.conversation_id, item.known_by, item.insisted


def begin(session: Session, chosen: Sequence[Waiting], now: datetime, worker: str) -> None:
    """Mark deliveries as running, and note their attempts. The caller holds the fence."""
    run_each(session, _BEGIN, [{"delivery_id": item.id} for item in chosen])
    run_each(
        session,
        _ATTEMPT,
        [
            {
                "delivery_id": item.id,
                "number": item.attempts + 1,
                "outcome": AttemptOutcome.RUNNING,
                "worker": worker,
                "started_at": now,
                "detail": "",
                "calls": [],
                "batch_of": chosen[0].id if item is not chosen[0] else None,
            }
            for item in chosen
        ],
    )


def _items(session: Session, chosen: Sequence[Waiting]) -> list[Item]:
    """The chosen deliveries with their events, up to the first that cannot be read.

    :raises UnreadableEvent: that is the first of all.
    """
    wanted = {item.event_id for item in chosen} | {item.known_by for item in chosen}
    rows = {row.id: row for row in run(session, _EVENTS_OF, event_ids=sorted(filter(None, wanted)))}
    head = rows[chosen[0].event_id]
    by_id = {head.id: canonical(head.id, head.data, head.received_at)}
    for row in rows.values():
        if row is not head and (event := readable(row)) is not None:
            by_id[row.id] = event
    chosen = list(takewhile(lambda item: item.event_id in by_id, chosen))
    return [
        Item(
            item.id,
            item.attempts + 1,
            item.bugs,
            item.failing_since,
            _of_known(by_id[item.event_id], by_id.get(item.known_by or 0)),
            item.known_by,
            bool(item.insisted),
        )
        for item in chosen
    ]


def _of_known(event: events.Event, teller: events.Event | None) -> events.Event:
    """The event with its contact as the event shows it that told who that is."""
    return event if teller is None else replace(event, contact=teller.contact or event.contact)
