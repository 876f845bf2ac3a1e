"""The identity mutex: one worker at a time looks for, or makes, the record of one person.

Held on a person's email and phone. Redis is the quick lock; the claim in the database holds when
Redis was wiped, and ends with the lane of its owner.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from redis.exceptions import RedisError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.database import in_transaction, insert
from hub.delivery import lanes
from hub.delivery.lanes import Lease
from hub.delivery.policy import LeasePolicy
from hub.models import IdentityClaim, Lane
from hub.queue.mutex import Mutexes, identity_key
from hub.sdk.context import Clock
from hub.sdk.errors import RetryLater

_PAUSE = 0.05


class Identities:
    """The identity mutexes that one delivery takes."""

    def __init__(self, lease: Lease, mutexes: Mutexes, clock: Clock, policy: LeasePolicy) -> None:
        self._lease = lease
        self._mutexes = mutexes
        self._clock = clock
        self._policy = policy
        self._owner = f"{lease.owner}/{lease.epoch}"

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[None]:
        """Hold the mutexes of all keys for the length of the block.

        :raises RetryLater: others hold one of them for too long.
        """
        # Sorted, so that two workers never wait for each other crosswise.
        digests = sorted({hashlib.sha256(key.encode()).hexdigest() for key in keys})
        give_up = time.monotonic() + self._policy.identity_wait
        taken: list[str] = []
        try:
            for digest in digests:
                self._wait(give_up, partial(self._take, digest))
                taken.append(digest)
            self._wait(give_up, lambda: in_transaction(lambda s: self._claim(s, digests)))
            yield
        finally:
            in_transaction(lambda session: self._unclaim(session, digests))
            for digest in taken:
                self._release(digest)

    def _wait(self, give_up: float, take: Callable[[], bool]) -> None:
        while not take():
            if time.monotonic() > give_up:
                raise RetryLater("Another worker works on the same person.", delay=2.0)
            self._clock.sleep(_PAUSE)

    def _take(self, digest: str) -> bool:
        try:
            return self._mutexes.take(identity_key(self._lease.hook_id, digest), self._owner)
        except RedisError:
            return True  # the claim in the database decides

    def _release(self, digest: str) -> None:
        try:
            self._mutexes.release(identity_key(self._lease.hook_id, digest), self._owner)
        except RedisError:
            return  # it expires by itself

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

    def _unclaim(self, session: Session, digests: Sequence[str]) -> None:
        session.execute(
            delete(IdentityClaim).where(
                IdentityClaim.hook_id == self._lease.hook_id,
                IdentityClaim.key.in_(digests),
                IdentityClaim.lane_id == self._lease.lane_id,
            )
        )
