"""Lanes: who may write. A lease that ends by itself, and an epoch that tells the owners apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Update, bindparam, or_, select, update
from sqlalchemy.orm import Session

from hub.database import table_of
from hub.database.prepared import (
    look,
    run,
)
from hub.models import Delivery, Lane
from hub.models.delivery import OPEN
from hub.sdk.errors import LaneLost

#: Seconds for which it is news that the database has confirmed a lease: about as long as an answer
#: to a question of its own may have been on its way.
NEWS = 0.01

_lanes = table_of(Lane)
_this_lane = _lanes.c.id == bindparam("lane_id")
#: The owner tells a lane that was given back from one that is held: both have the same epoch.
_still_ours = (
    _this_lane,
    _lanes.c.epoch == bindparam("held_epoch"),
    _lanes.c.owner == bindparam("holder"),
)

#: Whether it is due already is for its head to say: the clock of whoever accepted the event may be
#: ahead of this one.
_is_owed = (_this_lane, _lanes.c.due_at.is_not(None))
_take = (
    update(_lanes)
    .where(*_is_owed)
    .values(
        epoch=_lanes.c.epoch + 1,
        owner=bindparam("new_owner"),
        lease_until=bindparam("until"),
        queued_at=None,
    )
    .returning(_lanes.c.hook_id, _lanes.c.key, _lanes.c.epoch)
)
#: The same taking once more is one of a free lane, too: the answer to its commit was lost.
_TAKE_FREE = _take.where(
    or_(_lanes.c.owner.is_(None), _lanes.c.owner == bindparam("new_owner")),
)
_TAKE_ENDED = _take.where(_lanes.c.lease_until < bindparam("now"))
_RENEW = update(_lanes).where(*_still_ours).values(lease_until=bindparam("until"))
_GIVE_BACK = (
    update(_lanes)
    .where(*_still_ours)
    .values(owner=None, lease_until=None, due_at=bindparam("next_due"), queued_at=None)
)
_EPOCH = select(_lanes.c.epoch).where(_this_lane)


@dataclass
class Lease:
    """A lane that this worker has taken. ``deadline`` is on the monotonic clock of the process:
    no jump of the wall clock moves it, and it passes also while the process is paused.
    ``confirmed_at``, on the same clock, is when the database said last that the lane is ours.
    ``was_free`` says that the owner before gave it back; otherwise its lease had ended."""

    lane_id: int
    hook_id: int
    key: str
    epoch: int
    owner: str
    deadline: float
    was_free: bool = True
    confirmed_at: float = field(default_factory=time.monotonic)
    #: It was found to be over, or another worker's.
    is_lost: bool = False

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    @property
    def is_news(self) -> bool:
        """Whether a transaction has confirmed it just now."""
        return time.monotonic() - self.confirmed_at < NEWS

    def require_time(self) -> None:
        """Asked when the bytes of a call are about to go: no question to the database any more.

        :raises LaneLost: the lease is over; another worker may have the lane.
        """
        if self.remaining <= 0:
            raise self.lost("The lease ended before the call was sent.")

    def lost(self, sentence: str) -> LaneLost:
        """The error to raise when the lane is not ours any more."""
        self.is_lost = True
        return LaneLost(sentence)


def take(session: Session, lane_id: int, owner: str, now: datetime, seconds: float) -> Lease | None:
    """Take a lane that is owed something and free; ``None`` if it is not.

    ``owner`` names this one taking and no other.
    """
    deadline = time.monotonic() + seconds
    values = {"lane_id": lane_id, "new_owner": owner, "until": now + timedelta(seconds=seconds)}
    was_free = True
    row = run(session, _TAKE_FREE, **values).one_or_none()
    if row is None:
        was_free = False
        row = run(session, _TAKE_ENDED, **values, now=now).one_or_none()
    if row is None:
        return None
    return Lease(lane_id, row.hook_id, row.key, row.epoch, owner, deadline, was_free)


def renew(session: Session, lease: Lease, now: datetime, seconds: float) -> None:
    """Prolong a lease; also the fence: it locks the row for the rest of the transaction.

    :raises LaneLost: another worker has taken the lane, or it was given back.
    """
    deadline = time.monotonic() + seconds
    until = now + timedelta(seconds=seconds)
    _write(session, lease, _RENEW, until=until)
    lease.deadline = deadline
    lease.confirmed_at = time.monotonic()


def give_back(session: Session, lease: Lease, due_at: datetime | None) -> None:
    """End a lease. ``due_at`` is when the lane's oldest open delivery is due, if there is one.

    :raises LaneLost: another worker has taken the lane.
    """
    _write(session, lease, _GIVE_BACK, next_due=due_at)


def _write(session: Session, lease: Lease, statement: Update, **values: object) -> None:
    held = run(
        session,
        statement,
        lane_id=lease.lane_id,
        held_epoch=lease.epoch,
        holder=lease.owner,
        **values,
    )
    if held.rowcount != 1:
        raise lease.lost("Another worker has taken over this lane.")


def is_ours(lease: Lease) -> bool:
    """Whether the lane is still this worker's."""
    return look(_EPOCH, lane_id=lease.lane_id).scalar() == lease.epoch


def release_all_of(session: Session, owner_prefix: str) -> Sequence[int]:
    """End the leases of a process that is known to be dead; returns the lanes."""
    return list(
        session.scalars(
            update(Lane)
            .where(Lane.owner.startswith(owner_prefix, autoescape=True))
            .values(owner=None, lease_until=None, queued_at=None)
            .returning(Lane.id)
        )
    )


def recompute(session: Session, lane_ids: Sequence[int], now: datetime) -> None:
    """Make lanes due as their oldest open delivery is, after deliveries were changed by hand."""
    for lane_id in lane_ids:
        head = session.execute(
            select(Delivery.state, Delivery.due_at)
            .where(Delivery.lane_id == lane_id, Delivery.state.in_(OPEN))
            .order_by(Delivery.id)
            .limit(1)
        ).one_or_none()
        due_at = None if head is None else (head.due_at or now)
        session.execute(
            update(Lane).where(Lane.id == lane_id).values(due_at=due_at, queued_at=None)
        )
