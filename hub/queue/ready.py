"""Ready lanes: which lanes have work and no worker, shared fairly between the hooks.

For each hook a sorted set of lane ids by the time they became due, and a set of slots, one for
each of its lanes in progress in the whole fleet. Taking a lane goes to the hook that was served
longest ago and still has a free slot, so a hook with a long backlog, or whose CRM is slow, keeps
no other waiting. Slots expire, so that of a worker that died becomes free; its supervisor frees it
at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from hub.queue.connection import PREFIX

HOOKS = f"{PREFIX}:hooks"
LIMITS = f"{PREFIX}:limits"
READY = f"{PREFIX}:ready:"
SLOTS = f"{PREFIX}:slots:"
HELD = f"{PREFIX}:held:"

#: Lanes of one hook in progress at once while nobody has said otherwise.
DEFAULT_LIMIT = 4
#: Seconds after which the slot of a silent worker is free again.
SLOT_TTL = 30

# KEYS: hooks, limits. ARGV: key prefixes ready, slots, held; slot prefix, slot TTL in ms, default
# limit, 1 to take or 0 only to look, a hook and its slot that is free from now on (or nothing),
# a hook to pass over (or nothing) unless it is the only one.
# Answers {hook, lane} or nothing. Redis' own clock is used.
_TAKE = """
if ARGV[9] ~= '' then redis.call('ZREM', ARGV[2] .. ARGV[8], ARGV[9]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alone = redis.call('HLEN', KEYS[2]) < 2
for _, hook in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local ready = ARGV[1] .. hook
  local lane = redis.call('ZRANGE', ready, 0, 0)[1]
  if not lane then
    redis.call('ZREM', KEYS[1], hook)
  elseif (alone or hook ~= ARGV[10]) and redis.call('EXISTS', ARGV[3] .. hook) == 0 then
    local slots = ARGV[2] .. hook
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    local limit = tonumber(redis.call('HGET', KEYS[2], hook) or ARGV[6])
    if redis.call('ZCARD', slots) < limit then
      if ARGV[7] == '1' then
        redis.call('ZREM', ready, lane)
        redis.call('ZADD', slots, now + tonumber(ARGV[5]), ARGV[4] .. '/' .. lane)
        redis.call('ZADD', KEYS[1], now, hook)
      end
      return {hook, lane}
    end
  end
end
return nil
"""


@dataclass(frozen=True, slots=True)
class ReadyLane:
    """A lane that has work."""

    hook_id: int
    lane_id: int


@dataclass(frozen=True, slots=True)
class TakenLane:
    """A lane that a worker took, with the slot it occupies."""

    hook_id: int
    lane_id: int
    slot: str


class ReadyLanes:
    """The ready lanes of all hooks."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)

    def push(self, lanes: Sequence[ReadyLane]) -> None:
        """Make lanes ready. A lane that is ready already stays where it is."""
        if not lanes:
            return
        by_hook: dict[int, list[int]] = {}
        for lane in lanes:
            by_hook.setdefault(lane.hook_id, []).append(lane.lane_id)
        seconds, microseconds = self._redis.time()
        now = int(seconds) * 1000 + int(microseconds) // 1000
        with self._redis.pipeline(transaction=False) as pipeline:
            for hook_id, lane_ids in by_hook.items():
                pipeline.zadd(READY + str(hook_id), dict.fromkeys(map(str, lane_ids), now), nx=True)
            pipeline.zadd(HOOKS, dict.fromkeys(map(str, by_hook), 0), nx=True)
            pipeline.execute()

    def take(self, worker: str = "", passing_over: int | None = None) -> TakenLane | None:
        """Take the next lane, or ``None`` when no hook has one ready and a slot free.

        No lane of the hook that is to be passed over, unless there is no other hook at all.
        """
        return self._take_next(worker, passing_over)

    def exchange(
        self, lane: TakenLane, worker: str = "", passing_over: int | None = None
    ) -> TakenLane | None:
        """``give_back`` and ``take`` in one step."""
        return self._take_next(worker, passing_over, (lane.hook_id, lane.slot))

    def _take_next(
        self,
        worker: str,
        passing_over: int | None,
        given_back: tuple[int | str, str] = ("", ""),
    ) -> TakenLane | None:
        slot = f"{worker}/{uuid.uuid4().hex}"
        found = self._run(slot, 1, *given_back, "" if passing_over is None else passing_over)
        if not found:
            return None
        hook_id, lane_id = int(found[0]), int(found[1])
        return TakenLane(hook_id, lane_id, f"{slot}/{lane_id}")

    def has_takeable(self) -> bool:
        """Whether ``take`` would find a lane."""
        return self._run("", 0, "", "", "") is not None

    def _run(self, slot: str, *options: int | str) -> Any:
        return self._take(
            keys=[HOOKS, LIMITS],
            args=[READY, SLOTS, HELD, slot, SLOT_TTL * 1000, DEFAULT_LIMIT, *options],
        )

    def give_back(self, lane: TakenLane) -> None:
        """Free the slot of a lane whose work has ended."""
        self._redis.zrem(SLOTS + str(lane.hook_id), lane.slot)

    def free_slots_of(self, worker_prefix: str) -> list[ReadyLane]:
        """Free the slots of a process that is known to be dead; returns the lanes it had taken."""
        freed = []
        limits: Any = self._redis.hkeys(LIMITS)
        for hook in limits:
            key = SLOTS + hook.decode()
            slots: Any = self._redis.zscan_iter(key, match=f"{worker_prefix}*")
            for slot, _ in list(slots):
                self._redis.zrem(key, slot)
                freed.append(ReadyLane(int(hook), int(slot.rpartition(b"/")[2])))
        return freed

    def keep(self, lanes: Sequence[TakenLane]) -> None:
        """Say that the work on these lanes goes on."""
        if not lanes:
            return
        seconds, _ = self._redis.time()
        until = (int(seconds) + SLOT_TTL) * 1000
        with self._redis.pipeline(transaction=False) as pipeline:
            for lane in lanes:
                pipeline.zadd(SLOTS + str(lane.hook_id), {lane.slot: until}, xx=True)
            pipeline.execute()

    def hold(self, hook_id: int, seconds: float) -> None:
        """Take no lane of this hook for so long."""
        self._redis.set(HELD + str(hook_id), "1", px=max(1, round(seconds * 1000)))

    def unhold(self, hook_id: int) -> None:
        """Let the hook's lanes be taken again."""
        self._redis.delete(HELD + str(hook_id))

    def set_limits(self, limits: Mapping[int, int]) -> None:
        """How many lanes of each hook may be in progress at once."""
        if limits:
            self._redis.hset(LIMITS, mapping={str(hook): limit for hook, limit in limits.items()})

    def drop(self, hook_id: int) -> None:
        """Forget a hook."""
        self._redis.delete(READY + str(hook_id), SLOTS + str(hook_id), HELD + str(hook_id))
        self._redis.hdel(LIMITS, str(hook_id))
