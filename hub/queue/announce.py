"""Announcing ready lanes: put them into Redis and call workers for them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from redis import Redis
from redis.exceptions import RedisError

from hub import log
from hub.queue.jobs import Waker
from hub.queue.ready import ReadyLane, ReadyLanes

#: Seconds without another try after Redis could not be reached.
PAUSE = 1.0

_log = log.get(__name__)


class Announcer:
    """Announces lanes."""

    def __init__(self, redis: Redis) -> None:
        self._ready = ReadyLanes(redis)
        self._waker = Waker(redis)
        self._not_before = 0.0

    def push(self, lanes: Sequence[ReadyLane]) -> None:
        """Announce lanes.

        :raises RedisError: Redis cannot be reached.
        """
        if lanes:
            self._ready.push(lanes)
            self._waker.wake(len(lanes))

    def remind(self) -> None:
        """Call a worker if lanes are ready. Nobody looked at those of a hook that was held.

        :raises RedisError: Redis cannot be reached.
        """
        if self._ready.has_takeable():
            self._waker.wake(1)

    def start_anew(self) -> None:
        """Call workers again, after Redis lost some or all of its data.

        :raises RedisError: Redis cannot be reached.
        """
        self._waker.start_anew()

    def try_push(self, lanes: Sequence[ReadyLane]) -> None:
        """Announce lanes if Redis can be reached. If not, the sweeper announces them later."""
        if not lanes or time.monotonic() < self._not_before:
            return
        try:
            self.push(lanes)
        except RedisError as error:
            self._not_before = time.monotonic() + PAUSE
            _log.warning("Redis is not available; the sweeper will queue", error=str(error))
