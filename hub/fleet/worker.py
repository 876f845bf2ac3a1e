"""A worker process: an RQ worker whose one job drains lanes on several threads.

The process has the application loaded and runs its jobs itself: a forked worker would pay for a
fork, and a fresh one for all imports, with every job. The work is waiting for CRMs, so threads
give the concurrency; the processes give crash isolation and the second core.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.timeouts import TimerDeathPenalty
from sqlalchemy.exc import SQLAlchemyError

from hub import log
from hub.queue.connection import connect_blocking
from hub.queue.jobs import FLEET, QUEUE, Waker
from hub.queue.ready import ReadyLanes, TakenLane

if TYPE_CHECKING:
    from hub.delivery.drain import Drain

#: Lanes in progress at once in one process.
DEFAULT_THREADS = 16
#: Seconds between looks for more lanes while some are in progress.
LOOK = 0.05
#: Seconds between signs of life.
BEAT = 4.0
#: Seconds after which a process that gives no sign is no longer counted.
FLEET_TTL = 15

_log = log.get(__name__)


def process_name() -> str:
    """What this process is called in leases, attempts and on the workers page."""
    return f"{socket.gethostname().partition('.')[0]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


class LaneWorker(SimpleWorker):
    """An RQ worker for the drain job."""

    death_penalty_class = TimerDeathPenalty
    _of_this_process: ClassVar[LaneWorker | None] = None

    def __init__(self, app: Flask, redis: Redis, drain: Drain, name: str, threads: int) -> None:
        super().__init__([Queue(QUEUE, connection=redis)], name=name, connection=redis)
        self._app = app
        self._lanes = ReadyLanes(app.extensions["hub.redis"])
        self._waker = Waker(app.extensions["hub.redis"])
        self._drain = drain
        self._threads = threads
        self._in_progress: dict[threading.Thread, TakenLane | None] = {}
        self._drained = 0
        self._changed = threading.Condition()
        self._beating = threading.Event()
        LaneWorker._of_this_process = self

    @classmethod
    def of_this_process(cls) -> LaneWorker:
        """The worker that runs the current job."""
        assert cls._of_this_process is not None, "drain jobs run in a LaneWorker only"
        return cls._of_this_process

    def work(self, *args: Any, **options: Any) -> bool:
        """Work until told to stop."""
        self._call_for_lanes()
        beat = threading.Thread(target=self._beat, name="beat", daemon=True)
        beat.start()
        try:
            return super().work(*args, **options)
        finally:
            self._beating.set()
            beat.join(timeout=5)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job; then look once more for lanes that became ready as it ended."""
        number = int(job.args[0])
        super().execute_job(job, queue)
        self._waker.done(number)
        if not self._stop_requested and self._lanes.has_takeable():
            self._waker.wake(1)

    def drain(self, number: int) -> int:
        """The job itself: returns how many lanes were drained."""
        self._drained = 0
        self._waker.keep(number, self.name)
        with self._changed:
            while True:
                self._start_threads()
                if not self._in_progress:
                    return self._drained
                self._changed.wait(LOOK)

    def _start_threads(self) -> None:
        """One more thread, if there is a lane for it. That one starts the next."""
        if self._stop_requested or len(self._in_progress) >= self._threads:
            return
        if (lane := self._lanes.take(self.name)) is not None:
            self._start_thread(lane)

    def _start_thread(self, lane: TakenLane) -> None:
        thread = threading.Thread(target=self._run, args=(lane,), name=f"lane-{lane.lane_id}")
        self._in_progress[thread] = lane
        thread.start()

    def _run(self, lane: TakenLane | None) -> None:
        this = threading.current_thread()
        try:
            with self._app.app_context():
                while lane is not None:
                    with self._changed:
                        self._start_threads()
                    self._work_on(lane)
                    with self._changed:
                        self._drained += 1
                        lane = None if self._stop_requested else self._lanes.take(self.name)
                        self._in_progress[this] = lane
        except (RedisError, SQLAlchemyError) as error:
            # The sweeper will queue again what was ready.
            _log.error("a lane was left because Redis or the database failed", error=str(error))
        finally:
            with self._changed:
                del self._in_progress[this]
                self._changed.notify()

    def _work_on(self, lane: TakenLane) -> None:
        try:
            self._drain.drain(lane.lane_id)
        finally:
            self._lanes.give_back(lane)

    def _beat(self) -> None:
        """Signs of life, and the renewal of what the work in progress holds."""
        while True:
            with self._app.app_context():
                try:
                    self._sign_of_life()
                    self._drain.renew_leases()
                except RedisError as error:
                    _log.warning("Redis is not available", error=str(error))
                except SQLAlchemyError as error:
                    _log.warning("leases could not be renewed", error=str(error))
            if self._beating.wait(BEAT):
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
        redis: Redis = self._app.extensions["hub.redis"]
        seconds, _ = redis.time()
        redis.zadd(FLEET, {self.name: int(seconds) + FLEET_TTL})
        redis.zremrangebyscore(FLEET, "-inf", int(seconds) - 1)
        self._lanes.keep([lane for lane in list(self._in_progress.values()) if lane is not None])
        execution = self.execution
        if execution is not None and (job := self.get_current_job()) is not None:
            self.maintain_heartbeats(job, execution)
            self._waker.keep(int(job.args[0]), self.name)


def run(app: Flask, threads: int = DEFAULT_THREADS) -> None:
    """Run one worker process until it is told to stop (SIGTERM, SIGINT)."""
    from hub.delivery.drain import Drain

    name = process_name()
    config = app.extensions["hub.config"]
    with app.app_context():
        worker = LaneWorker(app, connect_blocking(config), Drain.of_app(app, name), name, threads)
        worker.work(logging_level="WARNING")
        app.extensions["hub.redis"].zrem(FLEET, name)
