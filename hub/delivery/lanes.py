"""Lanes: who may write. A lease that ends by itself, and an epoch that tells the owners apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from hub.models import Delivery, Lane
from hub.models.delivery import OPEN
from hub.sdk.errors import LaneLost


@dataclass
class Lease:
    """A lane that this worker has taken. ``deadline`` is on the monotonic clock of the process:
    no jump of the wall clock moves it, and it passes also while the process is paused.
    ``was_free`` says that the owner before gave it back; otherwise its lease had ended."""

    lane_id: int
    hook_id: int
    key: str
    epoch: int
    owner: str
    deadline: float
    was_free: bool = True

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()


def take(session: Session, lane_id: int, owner: str, now: datetime, seconds: float) -> Lease | None:
    """Take a lane that is due and free; ``None`` if it is not."""
    deadline = time.monotonic() + seconds
    before = session.execute(
        select(Lane.owner)
        .where(
            Lane.id == lane_id,
            Lane.due_at <= now,
            or_(Lane.owner.is_(None), Lane.lease_until < now),
        )
        .with_for_update()
    ).one_or_none()
    if before is None:
        return None
    row = session.execute(
        update(Lane)
        .where(Lane.id == lane_id)
        .values(
            epoch=Lane.epoch + 1,
            owner=owner,
            lease_until=now + timedelta(seconds=seconds),
            queued_at=None,
        )
        .returning(Lane.hook_id, Lane.key, Lane.epoch)
    ).one()
    return Lease(
        lane_id, row.hook_id, row.key, row.epoch, owner, deadline, was_free=before.owner is None
    )


def renew(session: Session, lease: Lease, now: datetime, seconds: float) -> None:
    """Prolong a lease; also the fence: it locks the row for the rest of the transaction.

    :raises LaneLost: another worker has taken the lane.
    """
    deadline = time.monotonic() + seconds
    _write(session, lease, lease_until=now + timedelta(seconds=seconds), owner=lease.owner)
    lease.deadline = deadline


def give_back(session: Session, lease: Lease, due_at: datetime | None) -> None:
    """End a lease. ``due_at`` is when the lane's oldest open delivery is due, if there is one.

    :raises LaneLost: another worker has taken the lane.
    """
    _write(session, lease, owner=None, lease_until=None, due_at=due_at, queued_at=None)


def _write(session: Session, lease: Lease, **values: object) -> None:
    row = session.execute(
        update(Lane)
        .where(Lane.id == lease.lane_id, Lane.epoch == lease.epoch)
        .values(**values)
        .returning(Lane.id)
    ).one_or_none()
    if row is None:
        raise LaneLost("Another worker has taken over this lane.")


def is_ours(session: Session, lease: Lease) -> bool:
    """Whether the lane is still this worker's."""
    epoch = session.scalar(select(Lane.epoch).where(Lane.id == lease.lane_id))
    return epoch == lease.epoch


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
