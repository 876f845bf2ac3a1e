"""Real worker processes: told to stop, paused for longer than their lease, and without Redis."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.models import AttemptOutcome, DeliveryState
from hub.queue.alive import live_workers
from hub.queue.mutex import FAMILY
from hub.sdk.testing.simulator import Request, Response
from tests.support.fleet import PATIENCE, Fleet
from tests.support.redis import RedisServer


@pytest.fixture
def fleet(tmp_path: Path, redis_socket: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, f"unix://{redis_socket}").running() as fleet:
        yield fleet


def told_to_stop(fleet: Fleet) -> bool:
    """Whether the only worker has noted that it shall stop."""
    return any(
        fleet.redis.hexists(f"rq:worker:{name}", "shutdown_requested_date")
        for name in live_workers(fleet.redis)
    )


def signalled(worker, number: signal.Signals) -> None:
    os.kill(worker.pid, number)


class Gate:
    """Holds GLPI's creations of tickets: they arrive, and are served when the gate is opened."""

    def __init__(self, fleet: Fleet) -> None:
        self.arrived = 0
        self._opened = threading.Event()
        self._serve = fleet.glpi.handle
        self._lock = threading.Lock()
        fleet.glpi.handle = self._handle  # type: ignore[method-assign]

    def open(self) -> None:
        self._opened.set()

    def _handle(self, request: Request) -> Response:
        if request.method == "POST" and request.path.endswith("/Ticket"):
            with self._lock:
                self.arrived += 1
            assert self._opened.wait(PATIENCE), "the test does not open the gate"
        return self._serve(request)


def test_sigterm_finishes_the_call_and_hands_the_rest_back(fleet):
    """A long lane is not drained to its end, nor left to a lease that runs out."""
    gate = Gate(fleet)
    for contact in (1, 2):
        for number in range(5):
            # Of one lane, but another conversation each: no batch takes them together.
            fleet.talk(contact, 1, conversation=contact * 100 + number)
    worker = fleet.start_worker()
    fleet.wait_until(lambda: gate.arrived == 2, "no call was made")
    signalled(worker, signal.SIGTERM)
    fleet.wait_until(lambda: told_to_stop(fleet), "the worker does not notice")
    gate.open()
    worker.join(PATIENCE)
    assert worker.exitcode == 0
    states = fleet.states()
    assert states[DeliveryState.RUNNING] == 0
    assert states[DeliveryState.PENDING] == 8, "the lanes were drained to their ends"
    assert set(fleet.outcomes()) == {AttemptOutcome.DONE}
    assert fleet.owners() == []
    assert fleet.redis.keys(f"{FAMILY}*") == []
    assert live_workers(fleet.redis) == []
    fleet.start_worker()
    fleet.wait()
    assert set(fleet.outcomes()) == {AttemptOutcome.DONE}
    assert len(fleet.glpi.tickets()) == 10


def test_a_lane_that_waits_for_its_time_is_taken_by_a_worker_without_the_sweeper(fleet):
    fleet.start_worker()
    fleet.wait_until(lambda: live_workers(fleet.redis), "the worker does not start")
    settled_at = SystemClock().now() + timedelta(seconds=1)
    fleet.talk(1, 3, settled_at=settled_at)
    fleet.sweeper.sweep = lambda: 0
    while SystemClock().now() < settled_at:
        assert fleet.calls() == 0
        assert fleet.owners() == [], "it holds nothing meanwhile"
        time.sleep(0.1)
    fleet.wait_until(lambda: fleet.states() == {DeliveryState.DONE: 3}, "nobody woke")
    assert fleet.said() == [[1, 2, 3]]


def test_a_worker_that_was_paused_for_longer_than_its_lease_does_nothing_more(fleet):
    gate = Gate(fleet)
    fleet.talk(1, 5)
    paused = fleet.start_worker()
    fleet.wait_until(lambda: gate.arrived, "no call was made")
    signalled(paused, signal.SIGSTOP)
    gate.open()
    try:
        fleet.start_worker()
        fleet.wait()
        assert fleet.outcomes() == {AttemptOutcome.CRASHED: 5, AttemptOutcome.DONE: 5}
        before = fleet.glpi.counts()
    finally:
        signalled(paused, signal.SIGCONT)
    # It is awake again once it gives its sign of life; then it must have noticed.
    fleet.redis.zremrangebyscore("{hub}:fleet", "-inf", "+inf")
    fleet.wait_until(lambda: len(live_workers(fleet.redis)) == 2, "the paused worker is gone")
    assert fleet.glpi.counts() == before, "it has called with an old right"
    assert fleet.outcomes() == {AttemptOutcome.CRASHED: 5, AttemptOutcome.DONE: 5}
    assert fleet.said() == [[1, 2, 3, 4, 5]]
    # And it is as good as any other.
    fleet.talk(2, 1)
    fleet.wait()
    assert len(fleet.glpi.tickets()) == 2


def test_workers_outlive_redis(tmp_path):
    """The process stays: a crash would cost the pauses of its supervisor."""
    with RedisServer() as redis, Fleet(tmp_path, redis.url).running() as fleet:
        worker = fleet.start_worker()
        fleet.glpi.service_time = 0.2
        fleet.talk(1, 3)
        fleet.wait_until(fleet.owners, "no lane was taken")
        redis.kill()
        # The work in progress needs no Redis.
        fleet.wait_until(lambda: fleet.states() == {DeliveryState.DONE: 3}, "it stopped")
        fleet.talk(2, 1)
        time.sleep(0.5)  # so that it has looked for Redis in vain
        redis.start()
        fleet.wait()
        assert fleet.states() == {DeliveryState.DONE: 4}
        assert worker.is_alive()
        signalled(worker, signal.SIGTERM)
        worker.join(PATIENCE)
        assert worker.exitcode == 0


def test_a_worker_that_waits_for_redis_can_be_told_to_stop(tmp_path):
    with RedisServer() as redis, Fleet(tmp_path, redis.url).running() as fleet:
        worker = fleet.start_worker()
        fleet.wait_until(lambda: live_workers(fleet.redis), "the worker does not start")
        redis.kill()
        time.sleep(0.5)  # so that it has looked for Redis in vain
        signalled(worker, signal.SIGTERM)
        worker.join(PATIENCE)
        assert worker.exitcode == 0
