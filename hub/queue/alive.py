"""Which worker processes are alive."""

from __future__ import annotations

from typing import Any

from redis import Redis

from hub.queue.connection import PREFIX

#: A sorted set of worker names, by the second until which each counts as alive.
FLEET = f"{PREFIX}:fleet"


def live_workers(redis: Redis) -> list[str]:
    """The names of the worker processes that count as alive."""
    seconds, _ = redis.time()
    names: Any = redis.zrangebyscore(FLEET, int(seconds), "+inf")
    return [name.decode() for name in names]
