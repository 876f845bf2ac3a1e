"""A worker process: an RQ worker whose one job drains lanes on several threads.

The process has the application loaded and runs its jobs itself: a forked worker would pay for a
fork, and a fresh one for all imports, with every job. The work is waiting for CRMs, so threads
give the concurrency; the processes give crash isolation and the second core.
"""

from __future__ import annotations

import gc
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.timeouts import TimerDeathPenalty
from sqlalchemy.exc import SQLAlchemyError

from hub import log, services
from hub.plugins.faults import traceback_of
from hub.queue.alive import FLEET
from hub.queue.connection import connect_blocking
from hub.queue.jobs import Waker, drained_by, queue_of
from hub.queue.owners import process_name
from hub.queue.ready import ReadyLane, ReadyLanes, Soon, TakenLane

if TYPE_CHECKING:
    from hub.delivery.drain import Drain

#: Seconds between looks for more lanes while some are in progress.
LOOK = 0.05
#: Garbage in circles is looked for often: a few MB less of it lie about, for no CPU worth a word.
GARBAGE = (400, 4, 2)
#: Seconds after which a process that gives no sign is no longer counted.
FLEET_TTL = 15

_log = log.get(__name__)


class LaneWorker(SimpleWorker):
    """An RQ worker for the drain job."""

    death_penalty_class = TimerDeathPenalty

    def __init__(
        self,
        app: Flask,
        redis: Redis,
        drain: Drain,
        name: str,
        threads: int,
        stopping: threading.Event,
    ) -> None:
        queue = queue_of(redis)
        super().__init__(
            [queue],
            name=name,
            connection=redis,
            job_class=queue.job_class,
            serializer=queue.serializer,
        )
        self._app = app
        self._policy = services.of(app).config.policies.worker
        # What RQ pauses between tries to reach Redis, at most.
        self.max_connection_wait_time = self._policy.wait
        lease = services.of(app).config.policies.lease.lease
        self._lanes = ReadyLanes(services.of(app).redis, lease)
        self._waker = Waker(services.of(app).redis)
        self._drain = drain
        self._threads = threads
        self._in_progress: dict[threading.Thread, TakenLane | None] = {}
        self._drained = 0
        #: Set when the process was told to stop.
        self._stopping = stopping
        #: Whether this worker's threads take further lanes.
        self._takes_more = True
        self._changed = threading.Condition()
        self._beating = threading.Event()
        drained_by(self.drain)

    def work(self, *args: Any, **options: Any) -> bool:
        """Work until told to stop."""
        self._call_for_lanes()
        beat = threading.Thread(target=self._beat, name="beat", daemon=True)
        beat.start()
        try:
            return super().work(*args, **options)
        finally:
            self._takes_more = False
            self._drain.stop()
            self._beating.set()
            beat.join(timeout=5)

    def request_stop(self, signum: Any, frame: Any) -> None:
        """SIGTERM: what is in progress is finished, the rest of each lane handed back."""
        self._stopping.set()
        self._takes_more = False
        self._drain.stop()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Called by RQ: the next job. What cannot be one is thrown away."""
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except UnicodeDecodeError:
                _log.warning("a job whose name is no text was refused")
                # RQ keeps there what it has taken and not begun, and would stumble over it again.
                self.connection.delete(self.queues[0].intermediate_queue_key)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job; then look once more for lanes that became ready as it ended."""
        number = int(job.args[0])
        super().execute_job(job, queue)
        self._waker.done(number)
        if self._takes_more and self._lanes.has_takeable():
            self._waker.wake(1)

    def drain(self, number: int) -> int:
        """The job itself: returns how many lanes were drained."""
        self._drained = 0
        self._waker.keep(number, self.name)
        with self._changed:
            while True:
                soon = None
                try:
                    soon = self._start_threads()
                except RedisError:
                    # What is in progress goes on without Redis.
                    if not self._in_progress:
                        raise
                if not self._in_progress and soon is None:
                    return self._drained
                self._changed.wait(LOOK if soon is None else min(LOOK, soon.seconds))

    def _start_threads(self) -> Soon | None:
        """One more thread, if there is a lane for it. That one starts the next.

        Answers how soon there will be a lane, if there is none now.
        """
        if not self._takes_more or len(self._in_progress) >= self._threads:
            return None
        lane = self._lanes.take_or_wait(self.name, self._crowded_by())
        if isinstance(lane, TakenLane):
            self._start_thread(lane)
            return None
        return lane

    def _crowded_by(self, leaving: threading.Thread | None = None) -> int | None:
        """The hook that has all threads but one. The last is kept for other hooks, so that a CRM
        that does not answer never has them all.
        """
        busy = [
            lane.hook_id
            for thread, lane in list(self._in_progress.items())
            if thread is not leaving and lane is not None
        ]
        crowded = len(busy) == self._threads - 1 and len(set(busy)) == 1
        return busy[0] if crowded else None

    def _start_thread(self, lane: TakenLane) -> None:
        thread = threading.Thread(target=self._run, args=(lane,), name=f"lane-{lane.lane_id}")
        self._in_progress[thread] = lane
        thread.start()

    def _run(self, lane: TakenLane | None) -> None:
        this = threading.current_thread()

        def hand_over(lane: TakenLane) -> TakenLane | None:
            with self._changed:
                self._in_progress[this] = None
                self._drained += 1
            following = self._lanes.exchange(lane, self.name, self._crowded_by(leaving=this))
            self._in_progress[this] = following
            return following

        try:
            with self._changed:
                self._start_threads()
            with self._app.app_context():
                while lane is not None:
                    self._drain.drain(lane, hand_over)
                    if not self._takes_more:
                        break
                    if (held := self._in_progress[this]) is not None:
                        lane = hand_over(held)
                    else:
                        crowded = self._crowded_by(leaving=this)
                        lane = self._in_progress[this] = self._lanes.take(self.name, crowded)
        except RedisError as error:
            # The sweeper will queue again what was ready.
            _log.error("a lane was left because Redis failed", error=str(error))
        except SQLAlchemyError as error:
            _log.error("a lane was left because the database failed", error=str(error))
            if (held := self._in_progress[this]) is not None:
                self._queue_again(held)
        except Exception as error:
            # A thread that dies silently would leave its lane until the lease has ended.
            _log.error("a lane was left because the hub failed", error=traceback_of(error))
        finally:
            if (held := self._in_progress[this]) is not None:
                with suppress(RedisError):  # the slot expires
                    self._lanes.give_back(held)
            with self._changed:
                del self._in_progress[this]
                self._changed.notify()

    def _queue_again(self, lane: TakenLane) -> None:
        """In a moment, when the database may be back: the sweeper would count it as queued."""
        if not self._stopping.wait(self._policy.wait):
            with suppress(RedisError):
                self._lanes.push([ReadyLane(lane.hook_id, lane.lane_id)])

    def _beat(self) -> None:
        """Signs of life, and the renewal of what the work in progress holds."""
        while True:
            with self._app.app_context():
                # Leases first: they must not end because Redis is away.
                for step in (self._drain.renew_leases, self._sign_of_life):
                    try:
                        step()
                    except RedisError as error:
                        _log.warning("Redis is not available", error=str(error))
                    except SQLAlchemyError as error:
                        _log.warning("leases could not be renewed", error=str(error))
            if self._beating.wait(self._policy.beat):
                return

    def _call_for_lanes(self) -> None:
        """Lanes may have become ready while there was no worker that could be called."""
        try:
            self._sign_of_life()
            if self._lanes.has_takeable():
                self._waker.wake(1)
        except RedisError as error:
            _log.warning("Redis is not available", error=str(error))

    def _sign_of_life(self) -> None:
        redis = services.of(self._app).redis
        seconds, _ = redis.time()
        redis.zadd(FLEET, {self.name: int(seconds) + FLEET_TTL})
        redis.zremrangebyscore(FLEET, "-inf", int(seconds) - 1)
        self._lanes.keep([lane for lane in list(self._in_progress.values()) if lane is not None])
        execution = self.execution
        if execution is not None and (job := self.get_current_job()) is not None:
            self.maintain_heartbeats(job, execution)
            self._waker.keep(int(job.args[0]), self.name)


def run(app: Flask, threads: int) -> None:
    """Run one worker process until it is told to stop (SIGTERM, SIGINT)."""
    gc.freeze()  # what is loaded now stays
    gc.set_threshold(*GARBAGE)
    stopping = threading.Event()
    with app.app_context():
        while not stopping.is_set():
            try:
                _live(app, threads, stopping)
                return
            except RedisError as error:
                _log.warning("the worker waits for Redis", error=str(error))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopping.set())
            stopping.wait(services.of(app).config.policies.worker.wait)


def _live(app: Flask, threads: int, stopping: threading.Event) -> None:
    """Work until told to stop.

    :raises RedisError: Redis went away.
    """
    from hub.delivery.drain import Drain

    # A new name for each life: RQ takes the one before for alive still.
    name = process_name()
    redis = connect_blocking(services.of(app).config)
    worker = LaneWorker(app, redis, Drain.of_app(app, name), name, threads, stopping)
    worker.work(logging_level="WARNING")
    services.of(app).redis.zrem(FLEET, name)
