"""The RQ jobs. There is one: 'there are ready lanes, come and drain them'.

A job carries no data but its number. Redis and the database know which lanes are ready. There is
at most one job for each worker process of the fleet. While a job runs, it keeps the guard key of
its number alive. Work that appears meanwhile needs no further job, because a worker looks once more
after its job has ended. The guard of a dead worker expires, and its job is replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from hub import log
from hub.queue.alive import FLEET
from hub.queue.connection import PREFIX

#: Earlier versions pickled their jobs into ``deliveries``. Nothing reads that queue any more.
QUEUE = "drains"
#: What RQ calls for a job.
_FUNCTION = "hub.queue.jobs.drain"
_NAME = re.compile(r"drain-(\d{1,3})")
GUARD = f"{PREFIX}:drain:"
#: Seconds without a sign of life after which a drain job counts as dead.
GUARD_TTL = 15
#: The value of a guard whose job is queued. Once a worker begins the job, its name is the value.
CALLED = "called"
#: The most worker processes in one fleet; ``start_anew`` deletes so many guards.
MOST_WORKERS = 256

_log = log.get(__name__)


# Finds the numbers whose job is neither queued nor run by a live worker. Answers a list of {number,
# the dead worker that its guard names, or ''}. Only idle workers are called: a busy one takes new
# lanes by itself.
# KEYS: fleet. ARGV: the value of a guard whose job is queued.
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


class DrainJob(Job):
    """A drain job. Only its name is taken from Redis: whoever can write there must not be able to
    have a worker run anything else."""

    def refresh(self) -> None:
        """Called by RQ when a worker takes a job.

        :raises NoSuchJobError: it is no drain job, or it is over. RQ goes on to the next job.
        """
        found = _NAME.fullmatch(self.id)
        if found is None:
            _log.warning("a job that is not the hub's was refused", job=self.id)
        if found is None or self.connection.type(self.key) != b"hash":
            raise NoSuchJobError(self.id)
        self.restore(
            {
                b"data": json.dumps([_FUNCTION, None, [int(found[1])], {}]).encode(),
                b"origin": QUEUE.encode(),
                b"status": b"queued",
                b"timeout": b"-1",
                b"result_ttl": b"0",
                b"failure_ttl": b"0",
            }
        )


def queue_of(redis: Redis) -> Queue:
    """The queue of drain jobs. Its jobs are JSON, not pickles."""
    return Queue(QUEUE, connection=redis, job_class=DrainJob, serializer=JSONSerializer)


class _AtWork:
    """The function that drains lanes in this process; a worker sets it when it starts."""

    drain: Callable[[int], int]


def drained_by(drain: Callable[[int], int]) -> None:
    """Let ``drain`` do the jobs of this process. It gets the job's number, and returns how many
    lanes it drained."""
    _AtWork.drain = drain


def drain(number: int) -> int:
    """The job: drain ready lanes until there are none; returns how many were drained."""
    return _AtWork.drain(number)


class Waker:
    """Calls workers when lanes have become ready."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = queue_of(redis)
        self._idle = redis.register_script(_IDLE)

    def wake(self, lanes: int) -> None:
        """Make sure that enough workers are at work, or called, for this many lanes."""
        if lanes < 1:
            return
        for number, holder in self._idle(keys=[FLEET], args=[CALLED])[:lanes]:
            self._call(number, dead=holder.decode() or None)

    def start_anew(self) -> None:
        """Delete all guards: after a restart, Redis may name workers that no longer run.

        A live worker sets its guard again within seconds.
        """
        self._redis.delete(*(GUARD + str(number) for number in range(MOST_WORKERS)))

    def _call(self, number: int, dead: str | None) -> None:
        # A dead worker's guard is overwritten. If there was no guard, there must still be none.
        if not self._redis.set(GUARD + str(number), CALLED, nx=dead is None, ex=GUARD_TTL):
            return
        try:
            self._enqueue(number)
        except DuplicateJobError:
            # There is a job without a guard: it is still queued, or its worker died.
            if _job_id(number) in self._queue.job_ids:
                return
            self._redis.delete(Job.key_for(_job_id(number)))
            with suppress(DuplicateJobError):  # another process was quicker
                self._enqueue(number)

    def _enqueue(self, number: int) -> None:
        self._queue.enqueue(
            _FUNCTION,
            number,
            job_id=_job_id(number),
            unique=True,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=0,
            description="drain ready lanes",
        )

    def keep(self, number: int, worker: str) -> None:
        """Renew the guard of a running drain job."""
        self._redis.set(GUARD + str(number), worker, ex=GUARD_TTL)

    def done(self, number: int) -> None:
        """Free the number of a drain job that has ended and that RQ has forgotten."""
        self._redis.delete(GUARD + str(number))


def _job_id(number: int) -> str:
    return f"drain-{number}"
