"""What people do with deliveries: replay, insist, skip. Each action is recorded once in the audit
log, in its own transaction, and may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from hub import audit, clock
from hub.database import in_transaction, reading
from hub.delivery import kept, lanes
from hub.errors import NotFound
from hub.history.deliveries import DeliveryFilter
from hub.models import Account, Delivery, DeliveryState, Event, Hook
from hub.services import registry

#: The most deliveries that one request replays.
MOST = 10_000
#: Deliveries in these states may be replayed together. Those that are done only one by one.
TOGETHER = ("dead", "skipped", "waiting")
#: Deliveries changed in one transaction.
BATCH = 500
_REPLAYABLE = (
    DeliveryState.DEAD,
    DeliveryState.SKIPPED,
    DeliveryState.SUPERSEDED,
    DeliveryState.DONE,
    DeliveryState.WAITING,
)


def replay(delivery_id: int) -> bool:
    """Let a delivery be tried again at once; ``False`` if it is pending or running already.

    A delivery that is done may be replayed, too: links prevent that records are created twice.

    :raises NotFound: there is no such delivery.
    """

    def work(session: Session) -> bool:
        account_id = _account_of(session, delivery_id)
        if account_id is None:
            raise NotFound(f"There is no delivery {delivery_id}.")
        if not _replay(session, [delivery_id]):
            return False
        _note(session, "delivery.replayed", account_id, delivery_id)
        return True

    return in_transaction(work)


def replay_all(wanted: DeliveryFilter, most: int | None = None) -> int:
    """Replay every finished or waiting delivery of a filter, oldest first; returns how many.

    ``most`` limits the number, rounded up to whole batches. A filter without account and hook means
    all accounts. Each account in which something is replayed gets its own audit entry.
    """
    account_ids, is_named = _accounts_of(wanted)
    total = 0
    for account_id in account_ids:
        left = None if most is None else most - total
        count = _replay_in(replace(wanted, account_id=account_id), left)
        if count or is_named:
            told = {**wanted.told(), "deliveries": count}
            audit.note("deliveries.replayed", account_id=account_id, after=told)
        total += count
    return total


def count(wanted: DeliveryFilter, most: int) -> int:
    """How many deliveries ``replay_all`` would replay. Counting stops at ``most``."""
    query = wanted.applied_to(
        select(Delivery.id)
        .join(Event, Event.id == Delivery.event_id)
        .where(*_replayable(wanted))
        .limit(most)
    )
    with reading() as session:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def can_insist(plugin_id: str | None) -> bool:
    """Whether the plugin can be used, and can deliver although nobody is known."""
    plugin = registry().plugins.get(plugin_id or "")
    return plugin is not None and plugin.processor.can_insist


def insist(delivery_id: int) -> int:
    """Deliver what is kept back of the delivery's conversation, although nobody is known.

    Returns how many deliveries are tried now. There are none if the delivery is not kept back, or
    if its plugin needs to know the person.
    """

    def work(session: Session) -> int:
        plugin_id = session.scalar(
            select(Hook.plugin_id)
            .join(Delivery, Delivery.hook_id == Hook.id)
            .where(Delivery.id == delivery_id)
        )
        if not can_insist(plugin_id):
            return 0
        count, lane_ids = kept.insist(session, delivery_id)
        lanes.recompute(session, lane_ids, clock.now())
        if count:
            account_id = _account_of(session, delivery_id)
            _note(session, "delivery.insisted", account_id, delivery_id, deliveries=count)
        return count

    return in_transaction(work)


def skip(delivery_id: int, reason: str) -> bool:
    """Give up an open or dead delivery for a stated reason. ``False`` if it is neither."""

    def work(session: Session) -> bool:
        now = clock.now()
        kept.send_home(session, [delivery_id])
        row = session.execute(
            update(Delivery)
            .where(
                Delivery.id == delivery_id,
                Delivery.state.in_(
                    (DeliveryState.PENDING, DeliveryState.WAITING, DeliveryState.DEAD)
                ),
            )
            .values(state=DeliveryState.SKIPPED, reason=reason, due_at=None, finished_at=now)
            .returning(Delivery.lane_id)
        ).one_or_none()
        if row is None:
            return False
        lanes.recompute(session, [row.lane_id], now)
        account_id = _account_of(session, delivery_id)
        _note(session, "delivery.skipped", account_id, delivery_id, reason=reason)
        return True

    return in_transaction(work)


def _note(
    session: Session, action: str, account_id: int | None, delivery_id: int, **told: Any
) -> None:
    audit.note(action, account_id=account_id, subject_id=delivery_id, after=told, within=session)


def _account_of(session: Session, delivery_id: int) -> int | None:
    query = select(Hook.account_id).join(Delivery, Delivery.hook_id == Hook.id)
    return session.scalar(query.where(Delivery.id == delivery_id))


def _accounts_of(wanted: DeliveryFilter) -> tuple[Sequence[int], bool]:
    """The accounts of a filter, and whether the filter names one, or a hook of one."""
    if wanted.account_id is not None:
        return [wanted.account_id], True
    query = select(Account.id).order_by(Account.id)
    if wanted.hook_id is not None:
        query = select(Hook.account_id).where(Hook.id == wanted.hook_id)
    with reading() as session:
        return session.scalars(query).all(), wanted.hook_id is not None


def _replay_in(wanted: DeliveryFilter, most: int | None) -> int:
    total, after = 0, 0
    while most is None or total < most:
        ids = in_transaction(partial(_page, wanted=wanted, after=after))
        if not ids:
            return total
        total += in_transaction(partial(_replay, ids=ids))
        after = ids[-1]
    return total


def _replayable(wanted: DeliveryFilter) -> Sequence[ColumnElement[bool]]:
    # One state is asked for by the filter itself, and alone an index answers it.
    return () if wanted.state in _REPLAYABLE else (Delivery.state.in_(_REPLAYABLE),)


def _page(session: Session, wanted: DeliveryFilter, after: int) -> list[int]:
    query = wanted.applied_to(
        select(Delivery.id)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.id > after, *_replayable(wanted))
        .order_by(Delivery.id)
        .limit(BATCH)
    )
    return list(session.scalars(query))


def _replay(session: Session, ids: Sequence[int]) -> int:
    now = clock.now()
    kept.send_home(session, ids)
    lane_ids = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_(_REPLAYABLE))
        .values(
            state=DeliveryState.PENDING,
            reason="",
            due_at=None,
            finished_at=None,
            failing_since=None,
            bugs=0,
        )
        .returning(Delivery.lane_id)
    ).all()
    lanes.recompute(session, sorted(set(lane_ids)), now)
    return len(lane_ids)
