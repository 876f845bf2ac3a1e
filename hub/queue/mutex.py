"""The Redis mutex of a lane: a key with an owner, a time to live and a renewal.

``hub.queue.ready`` takes and frees it together with the lane. This module does the rest: it takes
a mutex over, renews it, and frees it alone.

The mutex is the quick first lock. A stalled owner is stopped by the epoch in the database.
"""

from __future__ import annotations

from redis import Redis

#: The prefix that Chatwoot's own CRM integrations use. Ours adds the lane.
FAMILY = "CRM_PROCESS_MUTEX"

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# Answers 1 if the owner has the key afterwards. A key that Redis lost is set again.
_RENEW = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


def lane_key(hook_id: int, lane_id: int) -> str:
    """The key of a lane's mutex."""
    return f"{FAMILY}::{hook_id}::{lane_id}"


class Mutexes:
    """Takes over, renews and frees mutexes. An owner is an unguessable text."""

    def __init__(self, redis: Redis, ttl: float) -> None:
        self._redis = redis
        self._ttl = round(ttl * 1000)
        self._release = redis.register_script(_RELEASE)
        self._renew = redis.register_script(_RENEW)

    def seize(self, key: str, owner: str) -> None:
        """Take the mutex over from an owner that is known to have finished."""
        self._redis.set(key, owner, px=self._ttl)

    def renew(self, key: str, owner: str) -> bool:
        """Renew the mutex; ``False`` if another owner has it."""
        return bool(self._renew(keys=[key], args=[owner, self._ttl]))

    def release(self, key: str, owner: str) -> None:
        """Free the mutex if this owner still has it."""
        self._release(keys=[key], args=[owner])
