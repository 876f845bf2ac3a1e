"""The RQ jobs. There is one: 'there are ready lanes, come and drain them'.

A job carries no data: which lanes are ready stands in Redis and in the database. There is at most
one job for each worker process of the fleet. While a job runs, the guard key of its number lives;
work that appears then needs no further job, because a worker looks once more after its job is
over. A guard without a sign of life expires, and the job of its dead worker is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job

from hub.queue.alive import FLEET
from hub.queue.connection import PREFIX

QUEUE = "deliveries"
GUARD = f"{PREFIX}:drain:"
#: Seconds without a sign of life after which a drain job counts as dead.
GUARD_TTL = 15
#: What the guard of a job holds that no worker has begun yet; then it holds the worker's name.
CALLED = "called"
#: Worker processes in one fleet, for the tidying of their guards.
MOST_WORKERS = 256


# The numbers whose job nobody has, each with the dead worker that its guard names, or nothing. A
# busy worker takes a lane itself; an idle one must be called whatever its number.
# KEYS: fleet. ARGV: the holder that says 'called'.
_IDLE = f"""
local fleet = redis.call('ZRANGEBYSCORE', KEYS[1], redis.call('TIME')[1], '+inf')
local busy = {{[ARGV[1]] = true}}
for _, worker in ipairs(fleet) do busy[worker] = true end
local idle = {{}}
for number = 0, math.max(#fleet, 1) - 1 do
  local holder = redis.call('GET', '{GUARD}' .. number)
  if not (holder and busy[holder]) then table.insert(idle, {{number, holder or ''}}) end
end
return idle
"""


class _AtWork:
    """What drains lanes in this process; a worker says so as it begins."""

    drain: Callable[[int], int]


def drained_by(drain: Callable[[int], int]) -> None:
    """From now on the jobs of this process are done by this: it gets the job's number, and returns
    how many lanes it drained."""
    _AtWork.drain = drain


def drain(number: int) -> int:
    """The job: drain ready lanes until there are none; returns how many were drained."""
    return _AtWork.drain(number)


class Waker:
    """Calls workers when lanes have become ready."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(QUEUE, connection=redis)
        self._idle = redis.register_script(_IDLE)

    def wake(self, lanes: int) -> None:
        """Make sure that enough workers are at work, or called, for this many lanes."""
        if lanes < 1:
            return
        for number, holder in self._idle(keys=[FLEET], args=[CALLED])[:lanes]:
            self._call(number, dead=holder.decode() or None)

    def start_anew(self) -> None:
        """Forget which workers were at work: Redis came back with what it knew before it died.

        One that is alive says so again within seconds.
        """
        self._redis.delete(*(GUARD + str(number) for number in range(MOST_WORKERS)))

    def _call(self, number: int, dead: str | None) -> None:
        # The guard of a dead worker is taken over; a free one must still be free.
        if not self._redis.set(GUARD + str(number), CALLED, nx=dead is None, ex=GUARD_TTL):
            return
        try:
            self._enqueue(number)
        except DuplicateJobError:
            # No guard, yet a job: it still waits in the queue, or its worker died.
            if _job_id(number) in self._queue.job_ids:
                return
            self._redis.delete(Job.key_for(_job_id(number)))
            with suppress(DuplicateJobError):  # another process was quicker
                self._enqueue(number)

    def _enqueue(self, number: int) -> None:
        self._queue.enqueue(
            "hub.queue.jobs.drain",
            number,
            job_id=_job_id(number),
            unique=True,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=0,
            description="drain ready lanes",
        )

    def keep(self, number: int, worker: str) -> None:
        """The drain job of a worker says that it is alive."""
        self._redis.set(GUARD + str(number), worker, ex=GUARD_TTL)

    def done(self, number: int) -> None:
        """A drain job is over, and RQ has forgotten it: another may take its name."""
        self._redis.delete(GUARD + str(number))


def _job_id(number: int) -> str:
    return f"drain-{number}"
