"""The Redis mutex of a lane: a key with an owner, a time to live and a renewal.

It is taken and freed with the lane itself (``hub.queue.ready``); what else may happen to it is
here.

It is the cheap and quick lock. What makes a stalled owner harmless is the epoch in the database.
"""

from __future__ import annotations

from redis import Redis

#: The family of keys that Chatwoot's own CRM integrations use, with the lane added.
FAMILY = "CRM_PROCESS_MUTEX"

_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# Answers 1 when the owner has the key afterwards: still, or again after Redis lost it.
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
    """Seizes, renews and frees mutexes, for owners that are named by unguessable texts."""

    def __init__(self, redis: Redis, ttl: float) -> None:
        self._redis = redis
        self._ttl = round(ttl * 1000)
        self._release = redis.register_script(_RELEASE)
        self._renew = redis.register_script(_RENEW)

    def seize(self, key: str, owner: str) -> None:
        """Take the mutex from an owner of whom it is known that he has finished."""
        self._redis.set(key, owner, px=self._ttl)

    def renew(self, key: str, owner: str) -> bool:
        """Prolong it; ``False`` when another owner has it."""
        return bool(self._renew(keys=[key], args=[owner, self._ttl]))

    def release(self, key: str, owner: str) -> None:
        """Free it, if the owner still has it."""
        self._release(keys=[key], args=[owner])
