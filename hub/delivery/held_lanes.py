"""The lanes that this process has in progress: kept until they are given back, or found lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from redis.exceptions import RedisError

from hub import log
from hub.database.group_commit import in_shared_transaction
from hub.delivery import lanes
from hub.delivery.lanes import Lease
from hub.policy import LeasePolicy
from hub.queue.mutex import Mutexes, lane_key
from hub.queue.ready import TakenLane
from hub.sdk.errors import LaneLost

_log = log.get(__name__)


class HeldLanes:
    """The leases of lanes in progress, and their mutexes. Shared by the threads of a process."""

    def __init__(self, mutexes: Mutexes, policy: LeasePolicy, now: Callable[[], datetime]) -> None:
        self._mutexes = mutexes
        self._policy = policy
        self._now = now
        self._leases: dict[int, Lease] = {}
        self._lock = threading.Lock()

    def leases(self) -> Sequence[Lease]:
        """The leases of all lanes in progress."""
        with self._lock:
            return list(self._leases.values())

    def add(self, lease: Lease) -> None:
        """Work on this lane begins."""
        with self._lock:
            self._leases[lease.lane_id] = lease

    def remove(self, lease: Lease) -> None:
        """Work on this lane has ended. Another thread may have taken it meanwhile."""
        with self._lock:
            if self._leases.get(lease.lane_id) is lease:
                del self._leases[lease.lane_id]

    def renew(self) -> None:
        """Prolong what is short. Every outcome prolongs a lease, too; the mutex of a lane with much
        to do lives by this alone."""
        held = self.leases()
        for lease in held:
            try:
                if self._is_short(lease):
                    self._prolong(lease)
            except LaneLost:
                with self._lock:
                    is_held = self._leases.get(lease.lane_id) is lease
                if is_held:
                    _log.warning("lane lost to another worker", lane=lease.lane_id)
        self._renew_mutexes(held)

    def has_mutex(self, lane: TakenLane, lease: Lease) -> bool:
        """Whether the lane's mutex is ours. It is given back with the lane."""
        if lane.has_mutex:
            return True
        if not lease.was_free:
            return False
        # Its owner has given the lane back, and was too late, or too dead, to say so.
        try:
            self._mutexes.seize(lane_key(lease.hook_id, lease.lane_id), lease.owner)
        except RedisError:
            _log.warning("a mutex could not be taken; the lease in the database holds")
        lane.has_mutex = True
        return True

    def require(self, lease: Lease) -> None:
        """Asked just before a call: a worker that was paused must not write with an old right.

        :raises LaneLost: the lane is another worker's now.
        """
        if self._is_short(lease):
            self._prolong(lease)
            self._renew_mutexes([lease])
            return
        if not (lease.is_news or lanes.is_ours(lease)):
            raise lease.lost("Another worker has taken over this lane.")

    def _is_short(self, lease: Lease) -> bool:
        return lease.remaining < self._policy.renew_below

    def _prolong(self, lease: Lease) -> None:
        in_shared_transaction(
            lambda session: lanes.renew(session, lease, self._now(), self._policy.lease)
        )

    def _renew_mutexes(self, held: Sequence[Lease]) -> None:
        try:
            for lease in held:
                self._mutexes.renew(lane_key(lease.hook_id, lease.lane_id), lease.owner)
        except RedisError:
            _log.warning("mutexes could not be renewed; the leases in the database hold")
