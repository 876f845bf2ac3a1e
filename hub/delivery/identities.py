"""The identity mutex: one worker at a time looks for, or makes, the record of one person.

Held on a person's email and phone. A claim is a row that ends with the lease of its lane, so it
needs no time to live of its own and a wiped Redis cannot lose it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from hub.database import in_transaction, insert
from hub.delivery import lanes
from hub.delivery.lanes import Lease
from hub.delivery.policy import LeasePolicy
from hub.models import IdentityClaim, Lane
from hub.sdk.context import Clock
from hub.sdk.errors import RetryLater

_PAUSE = 0.05


class Identities:
    """The identity mutexes that one delivery takes."""

    def __init__(self, lease: Lease, clock: Clock, policy: LeasePolicy) -> None:
        self._lease = lease
        self._clock = clock
        self._policy = policy

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[None]:
        """Hold the mutexes of all keys, or of none, for the length of the block.

        :raises RetryLater: others hold one of them for too long.
        """
        digests = sorted({hashlib.sha256(key.encode()).hexdigest() for key in keys})
        give_up = time.monotonic() + self._policy.identity_wait
        while not in_transaction(partial(self._claim, digests=digests)):
            if time.monotonic() > give_up:
                raise RetryLater("Another worker works on the same person.", delay=2.0)
            self._clock.sleep(_PAUSE)
        try:
            yield
        finally:
            in_transaction(partial(self._end, digests=digests))

    def _end(self, session: Session, digests: Sequence[str]) -> None:
        """End the claims of this taking of the lane; a later owner's stay."""
        self._unclaim(session, digests, IdentityClaim.epoch == self._lease.epoch)

    def _claim(self, session: Session, digests: Sequence[str]) -> bool:
        lanes.renew(session, self._lease, self._clock.now(), self._policy.lease)
        self._drop_stale(session, digests)
        made = session.scalars(
            insert(session, IdentityClaim).on_conflict_do_nothing().returning(IdentityClaim.key),
            [
                {
                    "hook_id": self._lease.hook_id,
                    "key": digest,
                    "lane_id": self._lease.lane_id,
                    "epoch": self._lease.epoch,
                }
                for digest in digests
            ],
        ).all()
        if len(made) == len(digests):
            return True
        self._unclaim(session, digests)
        return False

    def _drop_stale(self, session: Session, digests: Sequence[str]) -> None:
        """Claims of lanes that were given back, taken again, or whose lease has ended."""
        now = self._clock.now()
        claims = session.execute(
            select(
                IdentityClaim.key, IdentityClaim.epoch, Lane.epoch.label("now"), Lane.lease_until
            )
            .outerjoin(Lane, Lane.id == IdentityClaim.lane_id)
            .where(
                IdentityClaim.hook_id == self._lease.hook_id,
                IdentityClaim.key.in_(digests),
                IdentityClaim.lane_id != self._lease.lane_id,
            )
        ).all()
        stale = [
            claim.key
            for claim in claims
            if claim.epoch != claim.now or claim.lease_until is None or claim.lease_until < now
        ]
        session.execute(
            delete(IdentityClaim).where(
                IdentityClaim.hook_id == self._lease.hook_id, IdentityClaim.key.in_(stale)
            )
        )
        self._unclaim(session, digests)

    def _unclaim(
        self, session: Session, digests: Sequence[str], *further: ColumnElement[bool]
    ) -> None:
        session.execute(
            delete(IdentityClaim).where(
                IdentityClaim.hook_id == self._lease.hook_id,
                IdentityClaim.key.in_(digests),
                IdentityClaim.lane_id == self._lease.lane_id,
                *further,
            )
        )
