"""What a clock that was ahead has put off: a clock that is turned back must stall no lane.

Moments are stored by the wall clock. When that was an hour ahead and is set right, whatever was to
be tried again in a minute would wait for an hour. The sweeper asks here as it begins, and whenever
its clock has gone back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from hub.models import (
    Attempt,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Event,
    KeptBack,
    Lane,
)
from hub.models.delivery import OPEN
from hub.policy import (
    BreakerPolicy,
    OrderPolicy,
)
from hub.sdk.http import LONGEST_PAUSE

#: By how much the clocks of a fleet may differ, in seconds.
_DIFFERENCE = timedelta(seconds=10)
#: Lanes named in one statement.
_MOST = 500


def bring_back(
    session: Session, now: datetime, order: OrderPolicy, breaker_policy: BreakerPolicy
) -> int:
    """Make due at once what was put off by a clock that was ahead; answers how many lanes it was.

    It is known by what was written beside it: an attempt that ends in the future, an event that
    waits for longer than any does, a breaker that is open for longer than any is.
    """
    later = now + _DIFFERENCE
    tried = exists().where(Attempt.delivery_id == Delivery.id, Attempt.finished_at > later)
    kept_back = exists().where(KeptBack.delivery_id == Delivery.id)
    lanes = set(
        session.scalars(
            update(Delivery)
            .where(Delivery.state == DeliveryState.WAITING, Delivery.due_at > now)
            .where(tried, ~kept_back)
            .values(due_at=now)
            .returning(Delivery.lane_id)
            .execution_options(synchronize_session=False)
        )
    )
    settled = later + timedelta(seconds=order.patience)
    unsettled = session.execute(
        select(Event.id, Delivery.lane_id)
        .join(Delivery, Delivery.event_id == Event.id)
        .where(Delivery.state.in_(OPEN), Event.settled_at > settled)
    ).all()
    lanes.update(lane_id for _, lane_id in unsettled)
    events = sorted({event_id for event_id, _ in unsettled})
    for some in (events[n : n + _MOST] for n in range(0, len(events), _MOST)):
        session.execute(update(Event).where(Event.id.in_(some)).values(settled_at=now))
    named = sorted(lanes)
    for some in (named[n : n + _MOST] for n in range(0, len(named), _MOST)):
        session.execute(
            update(Lane)
            .where(Lane.id.in_(some), Lane.due_at > now)
            .values(due_at=now, queued_at=None)
        )
    is_probed = Breaker.state != BreakerState.CLOSED
    longest = later + timedelta(seconds=breaker_policy.longest_probe)
    session.execute(
        update(Breaker)
        .where(
            or_(
                Breaker.retry_at > later + timedelta(seconds=LONGEST_PAUSE),
                is_probed & (Breaker.retry_at > longest),
            )
        )
        .values(retry_at=now)
    )
    return len(lanes)
