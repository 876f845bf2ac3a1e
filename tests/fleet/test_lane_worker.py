"""What becomes of a lane when an exception escapes from its drain."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import update

from hub import services
from hub.clock import SystemClock
from hub.database import in_transaction
from hub.delivery import lanes
from hub.delivery.drain import Drain
from hub.fleet.worker import LaneWorker
from hub.models import Lane
from hub.queue.ready import TakenLane


def test_another_worker_goes_on_when_the_lease_has_ended(world, crm, monkeypatch, caplog):
    world.send("contact.created")
    redis = services.of(world.app).redis
    worker = LaneWorker(world.app, redis, world.drain, "test-worker", 1, threading.Event())

    def fail(_: Drain, lane: TakenLane, hand_over: object) -> None:
        now = SystemClock().now()
        in_transaction(lambda s: lanes.take(s, lane.lane_id, lane.slot, now, 30))
        raise AssertionError("a bug of the hub")

    taken = world.ready.take("test-worker")
    assert taken is not None
    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(Drain, "drain", fail)
        worker._start_thread(taken)
        for thread in list(worker._in_progress):
            thread.join(60)
    assert not worker._in_progress, "the job would wait for this thread without end"
    (line,) = [one for one in caplog.records if one.name == "hub.fleet.worker"]
    assert "AssertionError: a bug of the hub" in line.fields["error"]
    other = Drain.of_app(world.app, "other-worker")
    assert world.drain_lane(taken.lane_id, other) == 0, "its lease still holds"
    ended = update(Lane).values(lease_until=SystemClock().now())
    in_transaction(lambda session: session.execute(ended))
    assert world.sweeper.sweep() == 1
    again = world.ready.take("other-worker")
    assert again is not None, "its slot was given back"
    assert other.drain(again) == 1
    assert crm.handled == [("contact.created", "1")]
