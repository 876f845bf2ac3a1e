"""Real worker processes: told to stop, paused for longer than their lease, and without Redis."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.fleet.worker import WAIT_FOR_REDIS
from hub.models import AttemptOutcome, DeliveryState
from hub.queue.jobs import live_workers
from hub.queue.mutex import FAMILY
from hub.sdk.testing.simulator import Fault
from tests.support.fleet import Fleet
from tests.support.redis import RedisServer


@pytest.fixture
def fleet(tmp_path: Path, redis_socket: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, f"unix://{redis_socket}").running() as fleet:
        yield fleet


def signalled(worker, number: signal.Signals) -> None:
    os.kill(worker.pid, number)


def test_sigterm_finishes_the_call_and_hands_the_rest_back(fleet):
    """A long lane is not drained to its end, nor left to a lease that runs out."""
    fleet.glpi.service_time = 0.3
    for contact in (1, 2):
        for number in range(5):
            # Of one lane, but another conversation each: no batch takes them together.
            fleet.talk(contact, 1, conversation=contact * 100 + number)
    worker = fleet.start_worker()
    fleet.wait_until(lambda: fleet.calls() >= 2, "no call was made")
    signalled(worker, signal.SIGTERM)
    worker.join(30)
    assert worker.exitcode == 0
    states = fleet.states()
    assert states[DeliveryState.RUNNING] == 0
    assert states[DeliveryState.PENDING] >= 4, "the lanes were drained to their ends"
    assert set(fleet.outcomes()) == {AttemptOutcome.DONE}
    assert fleet.owners() == []
    assert fleet.redis.keys(f"{FAMILY}*") == []
    assert live_workers(fleet.redis) == []
    fleet.glpi.service_time = 0.0
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
    # The answer takes as long as is needed to pause the worker while it waits for it.
    fleet.glpi.add_fault(Fault("latency", "POST", "/Ticket", seconds=1.0, times=1))
    fleet.talk(1, 5)
    paused = fleet.start_worker()
    fleet.wait_until(fleet.owners, "no lane was taken")
    time.sleep(0.5)
    signalled(paused, signal.SIGSTOP)
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
        time.sleep(2 * WAIT_FOR_REDIS)
        redis.start()
        fleet.wait()
        assert fleet.states() == {DeliveryState.DONE: 4}
        assert worker.is_alive()
        signalled(worker, signal.SIGTERM)
        worker.join(30)
        assert worker.exitcode == 0


def test_a_worker_that_waits_for_redis_can_be_told_to_stop(tmp_path):
    with RedisServer() as redis, Fleet(tmp_path, redis.url).running() as fleet:
        worker = fleet.start_worker()
        fleet.wait_until(lambda: live_workers(fleet.redis), "the worker does not start")
        redis.kill()
        time.sleep(2 * WAIT_FOR_REDIS)
        signalled(worker, signal.SIGTERM)
        worker.join(30)
        assert worker.exitcode == 0
