"""A hook's calls per second, shared by the fleet through Redis.

A token bucket of one second's worth, kept as the moment at which it would be full again (GCRA).
"""

from __future__ import annotations

import time

from redis import Redis
from redis.exceptions import RedisError

from hub.queue.connection import PREFIX

# KEYS: the hook's key. ARGV: microseconds a call costs, microseconds the bucket holds.
# Takes a turn and answers the microseconds until it comes.
_TURN = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = math.max(0, full + ARGV[1] - ARGV[2] - now)
redis.call('SET', KEYS[1], string.format('%.0f', full + ARGV[1]), 'PX', 60000)
return wait
"""


class RateLimit:
    """Grants turns."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turn = redis.register_script(_TURN)

    def wait(self, hook_id: int, calls_per_second: float) -> None:
        """Return when this call's turn has come.

        While Redis is away every caller keeps the pace by itself.
        """
        cost = round(1_000_000 / calls_per_second)
        # A bucket smaller than one call would never grant a turn at once.
        bucket = max(cost, 1_000_000)
        try:
            wait = self._turn(keys=[f"{PREFIX}:rate:{hook_id}"], args=[cost, bucket])
        except RedisError:
            wait = cost
        if wait:
            time.sleep(int(wait) / 1_000_000)
