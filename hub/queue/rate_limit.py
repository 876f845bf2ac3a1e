"""A hook's calls per second, shared by the fleet through Redis.

A token bucket that holds one second's calls. What is stored is the moment at which the bucket will
be full again (GCRA).
"""

from __future__ import annotations

import time

from redis import Redis
from redis.exceptions import RedisError

from hub.queue.connection import PREFIX

# Takes a turn, and answers in how many microseconds it comes.
# KEYS: the hook's key. ARGV: microseconds a call costs, microseconds the bucket holds.
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

        While Redis is away, each caller waits as long as one call costs.
        """
        cost = round(1_000_000 / calls_per_second)
        # With a bucket smaller than one call, even the first call would wait.
        bucket = max(cost, 1_000_000)
        try:
            wait = self._turn(keys=[f"{PREFIX}:rate:{hook_id}"], args=[cost, bucket])
        except RedisError:
            wait = cost
        if wait:
            time.sleep(int(wait) / 1_000_000)
