"""The sweeper: what nobody works on is queued, by however many of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from rq import Queue
from sqlalchemy import update

from hub import services
from hub.database import in_transaction
from hub.delivery import lanes, sweeper
from hub.delivery.sweeper import FORGOTTEN, Sweeper
from hub.models import Lane
from hub.queue.jobs import QUEUE
from hub.queue.ready import HELD


def test_several_at_once_do_no_harm(world, crm):
    for contact in range(100):
        world.send("contact.created", contact=str(contact))
    services.of(world.app).redis.flushall()
    errors: list[BaseException] = []
    start = threading.Barrier(6)

    def sweep() -> None:
        try:
            with world.app.app_context():
                sweeping = Sweeper(world.app)
                start.wait()
                for _ in range(3):
                    sweeping.sweep()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=sweep) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert world.work() == 100
    assert Counter(crm.handled) == Counter(("contact.created", str(n)) for n in range(100))
    assert world.sweeper.sweep() == 0


def test_a_lane_that_was_queued_and_never_taken_is_queued_again(world):
    world.send("contact.created")
    assert world.ready.take() is not None  # by a worker that died before it asked the database
    clock = world.clock
    clock.stop()
    world.sweeper.sweep()  # Redis is known from now on
    in_transaction(lambda session: session.execute(update(Lane).values(queued_at=clock.now())))
    services.of(world.app).redis.delete("{hub}:ready:1")
    assert world.sweeper.sweep() == 0
    clock.sleep(FORGOTTEN + 1)
    assert world.sweeper.sweep() == 1
    assert world.work() == 1


def test_a_dead_worker_s_lane_is_queued_when_its_lease_is_over(world):
    world.send("contact.created")
    world.sweeper.sweep()
    taken = world.ready.take()
    clock = world.clock
    clock.stop()
    in_transaction(lambda s: lanes.take(s, taken.lane_id, "dead", clock.now(), 30))
    assert world.sweeper.sweep() == 0
    clock.sleep(31)
    assert world.sweeper.sweep() == 1


def test_a_long_backlog_is_queued_over_several_rounds(world, monkeypatch):
    monkeypatch.setattr(sweeper, "MOST", 10)
    for contact in range(25):
        world.send("contact.created", contact=str(contact))
    world.sweeper.sweep()
    in_transaction(lambda session: session.execute(update(Lane).values(queued_at=None)))
    assert [world.sweeper.sweep() for _ in range(4)] == [10, 10, 5, 0]
    assert world.work() == 25


@pytest.mark.parametrize("ahead", [0.5, 1.9])
def test_a_clock_that_is_a_little_ahead_does_not_make_a_lane_wait(world, crm, ahead):
    """The web server's clock and the worker's are never quite the same."""
    world.clock.turn(-timedelta(seconds=ahead))
    world.send("contact.created")
    assert world.work() == 1
    assert crm.handled == [("contact.created", "1")]


def test_lanes_of_a_hook_that_was_held_find_a_worker(world):
    """The worker that held it found nothing to take, and has ended its job."""
    redis = services.of(world.app).redis
    world.sweeper.sweep()  # it knows this Redis now
    world.send("contact.created")
    world.ready.hold(world.hook.id, 60)
    world.sweeper.sweep()
    assert Queue(QUEUE, connection=redis).job_ids == []
    held = f"{HELD}{world.hook.id}"
    assert 0 < redis.pttl(held) <= 60_000
    redis.pexpire(held, 1)
    while redis.exists(held):
        time.sleep(0.001)
    world.sweeper.sweep()
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-0"]
