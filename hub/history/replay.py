"""Replaying deliveries, and skipping them, by a person's decision. Both are idempotent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import kept, lanes
from hub.history.deliveries import DeliveryFilter
from hub.models import Delivery, DeliveryState, Event, Hook
from hub.plugins import current as registry

#: Deliveries that one request replays; again for more.
MOST = 10_000
#: States whose deliveries may be replayed together: what is done needs a look at each.
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
    """Make a delivery owed again, at once; ``False`` when it is owed or running already.

    Replaying what is done doubles nothing: links say what exists in the CRM.
    """
    return in_transaction(lambda session: _replay(session, [delivery_id])) == 1


def replay_all(wanted: DeliveryFilter, most: int | None = None) -> int:
    """Replay every finished or waiting delivery of a filter, oldest first; returns how many.

    ``most`` bounds how many, to the next whole batch.
    """
    total, after = 0, 0
    while most is None or total < most:
        ids = in_transaction(partial(_page, wanted=wanted, after=after))
        if not ids:
            return total
        total += in_transaction(partial(_replay, ids=ids))
        after = ids[-1]
    return total


def count(wanted: DeliveryFilter, most: int) -> int:
    """How many ``replay_all`` would replay; counting ends at ``most``."""
    query = wanted.applied_to(
        select(Delivery.id)
        .join(Event, Event.id == Delivery.event_id)
        .where(*_replayable(wanted))
        .limit(most)
    )
    with reading() as session:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def insist(delivery_id: int) -> int:
    """Deliver what is kept back of the delivery's conversation although nobody is known; returns
    how many deliveries that makes owed: none if it is not kept back, or if its plugin can do
    nothing as long as nobody is known.
    """

    def work(session: Session) -> int:
        plugin_id = session.scalar(
            select(Hook.plugin_id)
            .join(Delivery, Delivery.hook_id == Hook.id)
            .where(Delivery.id == delivery_id)
        )
        plugin = registry().plugins.get(plugin_id or "")
        if plugin is None or not plugin.processor.can_insist:
            return 0
        count, lane_ids = kept.insist(session, delivery_id)
        lanes.recompute(session, lane_ids, SystemClock().now())
        return count

    return in_transaction(work)


def skip(delivery_id: int, reason: str) -> bool:
    """Give up an open or dead delivery, for a stated reason; ``False`` when it is neither."""

    def work(session: Session) -> bool:
        now = SystemClock().now()
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
        return True

    return in_transaction(work)


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
    now = SystemClock().now()
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
