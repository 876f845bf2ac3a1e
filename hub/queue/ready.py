"""Ready lanes: lanes that have work and no worker. They are shared fairly between the hooks.

Each hook has a sorted set of ready lanes, by the time they became due, and a set of slots, one for
each of its lanes that a worker of the fleet has. The next lane comes from the hook that was served
longest ago and has a free slot. So a hook with a long backlog or a slow CRM keeps no other hook
waiting. One command takes a lane together with its mutex and an idle remote session, and one gives
all three back. Slots expire, so the slots of a dead worker become free; the worker that replaces it
frees them at once.

A lane that is due in a moment waits in a set of its own. The command that takes the next lane first
makes those ready whose time has come. Workers stay awake for them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from hub import clock
from hub.queue import owners
from hub.queue.connection import PREFIX
from hub.queue.mutex import FAMILY

HOOKS = f"{PREFIX}:hooks"
LIMITS = f"{PREFIX}:limits"
READY = f"{PREFIX}:ready:"
SLOTS = f"{PREFIX}:slots:"
HELD = f"{PREFIX}:held:"
#: Lanes that are due in a moment, as "<hook>/<lane>".
SOON = f"{PREFIX}:soon"

#: Remote sessions: those that are free, and those that are lent to a lane.
IDLE = f"{PREFIX}:sessions:idle:"
LENT = f"{PREFIX}:sessions:lent:"
#: Seconds after which an idle session is closed, not used again (PHP forgets it after 1,440).
IDLE_TTL = 900

#: How many lanes of one hook may be in progress at once, if its limit is not set.
DEFAULT_LIMIT = 4
#: Seconds after which the slot of a silent worker is free again.
SLOT_TTL = 30

# Makes lanes ready, now or when they are due.
# KEYS: hooks, soon. ARGV, for each lane: hook, lane, milliseconds until it is due.
_PUSH = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for place = 1, #ARGV, 3 do
  local hook, lane, wait = ARGV[place], ARGV[place + 1], tonumber(ARGV[place + 2])
  if wait > 0 then
    redis.call('ZADD', KEYS[2], 'NX', now + wait, hook .. '/' .. lane)
  else
    redis.call('ZADD', '{READY}' .. hook, 'NX', now, lane)
    redis.call('ZADD', KEYS[1], 'NX', 0, hook)
  end
end
"""

# Gives a lane back, with its slot, mutex and session, and takes the next lane, in one step.
# If the script is retried, the session may already be lent out: HDEL returns 0 and we leave it.
# KEYS: hooks, limits, soon.
# ARGV 1-4: of the lane to give back: hook, slot, session, when the session was last used. '' if
#   there is none.
# ARGV 5: 1 to take a lane, 0 only to look for one.
# ARGV 6: the name for the new slot; the lane is appended.
# ARGV 7: a hook to pass over if there is another one, or ''.
# ARGV 8-9: milliseconds that the slot and the mutex live.
# ARGV 10: the time in seconds, by the worker's clock.
# Answers {hook, lane, whether the mutex was free, an idle session or '', when it was last used}; or
# {milliseconds until a lane becomes ready}; or nothing. A look answers {hook, lane}.
# Times are those of Redis, except for sessions: workers also compare their times elsewhere.
_TAKE = f"""
if ARGV[1] ~= '' then
  local slot = ARGV[2]
  redis.call('ZREM', '{SLOTS}' .. ARGV[1], slot)
  local mutex = '{FAMILY}::' .. ARGV[1] .. '::' .. string.match(slot, '[^/]+$')
  if redis.call('GET', mutex) == slot then redis.call('DEL', mutex) end
  if ARGV[3] ~= '' and redis.call('HDEL', '{LENT}' .. ARGV[1], ARGV[3]) == 1 then
    redis.call('ZADD', '{IDLE}' .. ARGV[1], ARGV[4], ARGV[3])
  end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, soon in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  local hook, lane = string.match(soon, '(.+)/(.+)')
  redis.call('ZREM', KEYS[3], soon)
  redis.call('ZADD', '{READY}' .. hook, 'NX', now, lane)
  redis.call('ZADD', KEYS[1], 'NX', 0, hook)
end
local alone = redis.call('HLEN', KEYS[2]) < 2
for _, hook in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local ready = '{READY}' .. hook
  local lane = redis.call('ZRANGE', ready, 0, 0)[1]
  if not lane then
    redis.call('ZREM', KEYS[1], hook)
  elseif (alone or hook ~= ARGV[7]) and redis.call('EXISTS', '{HELD}' .. hook) == 0 then
    local slots = '{SLOTS}' .. hook
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    local limit = tonumber(redis.call('HGET', KEYS[2], hook) or {DEFAULT_LIMIT})
    if redis.call('ZCARD', slots) < limit then
      if ARGV[5] == '0' then return {{hook, lane}} end
      local slot = ARGV[6] .. '/' .. lane
      redis.call('ZREM', ready, lane)
      redis.call('ZADD', slots, now + tonumber(ARGV[8]), slot)
      redis.call('ZADD', KEYS[1], now, hook)
      local mutex = '{FAMILY}::' .. hook .. '::' .. lane
      local free = redis.call('SET', mutex, slot, 'NX', 'PX', ARGV[9])
      local session = redis.call('ZREVRANGE', '{IDLE}' .. hook, 0, 0, 'WITHSCORES')
      if session[1] and ARGV[10] - session[2] <= {IDLE_TTL} then
        redis.call('ZREM', '{IDLE}' .. hook, session[1])
        redis.call('HSET', '{LENT}' .. hook, session[1], ARGV[10])
      else
        session = {{'', 0}}
      end
      return {{hook, lane, free and 1 or 0, session[1], session[2]}}
    end
  end
end
local soon = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
return soon[2] and {{soon[2] - now}} or nil
"""


@dataclass(frozen=True, slots=True)
class ReadyLane:
    """A lane that has work. ``due_at`` is set if the work is not due yet, but in a moment."""

    hook_id: int
    lane_id: int
    due_at: datetime | None = None

    @property
    def wait(self) -> int:
        """Milliseconds until the lane is due."""
        if self.due_at is None:
            return 0
        return max(0, math.ceil((self.due_at - clock.now()).total_seconds() * 1000))


@dataclass(slots=True)
class TakenLane:
    """A lane that a worker took, with its slot, mutex and session.

    ``slot`` is the owner's name. It also owns the lane's mutex if that was free (``has_mutex``).
    ``session`` is an idle remote session, encrypted, or ''. The worker may replace it with another.
    """

    hook_id: int
    lane_id: int
    slot: str
    has_mutex: bool = False
    session: str = ""
    session_used_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Soon:
    """No lane can be taken now, but one becomes ready in ``seconds``."""

    seconds: float


class ReadyLanes:
    """The ready lanes of all hooks."""

    def __init__(self, redis: Redis, lease: float = SLOT_TTL) -> None:
        """``lease`` is how long a mutex lives, in seconds, unless it is renewed."""
        self._redis = redis
        self._lease = lease
        self._push = redis.register_script(_PUSH)
        self._take = redis.register_script(_TAKE)

    def push(self, lanes: Sequence[ReadyLane]) -> None:
        """Make lanes ready. A lane that is already ready keeps its place."""
        if not lanes:
            return
        self._push(
            keys=[HOOKS, SOON],
            args=[n for lane in lanes for n in (lane.hook_id, lane.lane_id, lane.wait)],
        )

    def take(self, worker: str = "", passing_over: int | None = None) -> TakenLane | None:
        """Take the next lane. ``None`` if no hook has both a ready lane and a free slot.

        Lanes of the hook ``passing_over`` are left out, unless it is the only hook.
        """
        return _taken(self._take_next(None, worker, passing_over))

    def take_or_wait(
        self, worker: str = "", passing_over: int | None = None
    ) -> TakenLane | Soon | None:
        """Like ``take``. If there is no lane, it also tells how soon one becomes ready."""
        return self._take_next(None, worker, passing_over)

    def exchange(
        self, lane: TakenLane, worker: str = "", passing_over: int | None = None
    ) -> TakenLane | None:
        """``give_back`` and ``take`` in one step."""
        return _taken(self._take_next(lane, worker, passing_over))

    def _take_next(
        self, lane: TakenLane | None, worker: str, passing_over: int | None
    ) -> TakenLane | Soon | None:
        slot = owners.taking_of(worker)
        found = self._run(lane, 1, slot, "" if passing_over is None else passing_over)
        if not found:
            return None
        if len(found) == 1:
            return Soon(found[0] / 1000)
        hook, number, has_mutex, session, used_at = found
        taken = f"{slot}/{number.decode()}"
        return TakenLane(
            int(hook), int(number), taken, bool(has_mutex), session.decode(), float(used_at)
        )

    def has_takeable(self) -> bool:
        """Whether ``take`` would find a lane, now or in a moment."""
        return self._run(None, 0, "", "") is not None

    def give_back(self, lane: TakenLane) -> None:
        """Free the lane's slot, mutex and session."""
        self._run(lane, 0, "", "")

    def _run(self, given_back: TakenLane | None, *options: int | str) -> Any:
        lane: tuple[str | float, ...] = ("", "", "", 0)
        if given_back is not None:
            session = (given_back.session, given_back.session_used_at)
            lane = (str(given_back.hook_id), given_back.slot, *session)
        times = (round(SLOT_TTL * 1000), round(self._lease * 1000), time.time())
        return self._take(keys=[HOOKS, LIMITS, SOON], args=[*lane, *options, *times])

    def free_slots_of(self, worker_prefix: str) -> list[ReadyLane]:
        """Free the slots of a process that is known to be dead. Returns the lanes that it had."""
        freed = []
        limits: Any = self._redis.hkeys(LIMITS)
        for hook in limits:
            key = SLOTS + hook.decode()
            slots: Any = self._redis.zscan_iter(key, match=f"{worker_prefix}*")
            for slot, _ in list(slots):
                self._redis.zrem(key, slot)
                freed.append(ReadyLane(int(hook), owners.lane_of(slot.decode())))
        return freed

    def keep(self, lanes: Sequence[TakenLane]) -> None:
        """Renew the slots of lanes that are still worked on."""
        if not lanes:
            return
        seconds, _ = self._redis.time()
        until = (int(seconds) + SLOT_TTL) * 1000
        with self._redis.pipeline(transaction=False) as pipeline:
            for lane in lanes:
                pipeline.zadd(SLOTS + str(lane.hook_id), {lane.slot: until}, xx=True)
            pipeline.execute()

    def hold(self, hook_id: int, seconds: float) -> None:
        """Let no lane of this hook be taken for ``seconds``."""
        self._redis.set(HELD + str(hook_id), "1", px=max(1, round(seconds * 1000)))

    def unhold(self, hook_id: int) -> None:
        """Let the hook's lanes be taken again."""
        self._redis.delete(HELD + str(hook_id))

    def set_limits(self, limits: Mapping[int, int]) -> None:
        """Set how many lanes of each hook may be in progress at once."""
        if limits:
            self._redis.hset(LIMITS, mapping={str(hook): limit for hook, limit in limits.items()})

    def drop(self, hook_id: int) -> None:
        """Forget a hook."""
        self._redis.delete(READY + str(hook_id), SLOTS + str(hook_id), HELD + str(hook_id))
        self._redis.hdel(LIMITS, str(hook_id))


def _taken(found: TakenLane | Soon | None) -> TakenLane | None:
    return found if isinstance(found, TakenLane) else None
