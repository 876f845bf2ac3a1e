"""Leases and mutexes of lanes in progress: kept alive, and left alone once they are given back."""

from __future__ import annotations

import threading

import pytest
from hub_glpi.simulator import GlpiSimulator
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy import select
from urllib3.connection import HTTPConnection

from hub import services
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import lanes
from hub.delivery.drain import Drain
from hub.fleet.worker import LaneWorker
from hub.models import Delivery, DeliveryState, Lane
from hub.queue.mutex import lane_key
from hub.sdk.errors import LaneLost


def lane() -> Lane:
    with reading() as session:
        return session.scalars(select(Lane)).one()


def mutex(world) -> bytes | None:
    found = lane()
    return services.of(world.app).redis.get(lane_key(found.hook_id, found.id))


def almost_over(world) -> None:
    for lease in world.drain.engine.held.leases():
        lease.deadline -= world.drain.engine.policies.lease.lease - 1


def test_the_lease_of_a_long_call_is_prolonged(world, crm):
    world.send("contact.created")
    until = []

    def work(_: object) -> None:
        almost_over(world)
        until.append(lane().lease_until)
        world.drain.renew_leases()
        until.append(lane().lease_until)

    crm.on_handle = work
    world.work()
    assert until[1] > until[0]


def test_the_mutex_lives_as_long_as_its_lane_has_work(world, crm):
    """Each outcome prolongs the lease, so it never runs short; the mutex would have expired."""
    world.send("contact.created")
    found = []

    def work(_: object) -> None:
        services.of(world.app).redis.delete(lane_key(lane().hook_id, lane().id))
        world.drain.renew_leases()
        found.append(mutex(world))

    crm.on_handle = work
    world.work()
    assert found == [found[0]]
    assert found[0] is not None
    assert found[0].startswith(b"test-worker/")
    assert mutex(world) is None


def test_a_lane_that_was_given_back_is_not_prolonged(world):
    """The beat comes from another thread at any moment: also when the lane has just been left."""
    world.send("contact.created")
    found, now = lane(), SystemClock().now()
    lease = in_transaction(lambda session: lanes.take(session, found.id, "me", now, 30))
    in_transaction(lambda session: lanes.give_back(session, lease, None))
    with pytest.raises(LaneLost):
        in_transaction(lambda session: lanes.renew(session, lease, now, 30))
    assert (lane().owner, lane().lease_until) == (None, None)


def test_leases_are_prolonged_while_redis_is_away(world, crm, monkeypatch):
    world.send("contact.created")
    redis = services.of(world.app).redis
    worker = LaneWorker(world.app, redis, world.drain, "test-worker", 1, threading.Event())
    worker._beating.set()  # one beat only

    def gone(*_: object) -> None:
        raise RedisGone("Redis is away")

    monkeypatch.setattr(worker, "_sign_of_life", gone)
    monkeypatch.setattr(world.drain.engine.held._mutexes, "renew", gone)
    until = []

    def work(_: object) -> None:
        almost_over(world)
        until.append(lane().lease_until)
        worker._beat()
        until.append(lane().lease_until)

    crm.on_handle = work
    world.work()
    assert until[1] > until[0]


def test_a_worker_that_stops_hands_the_rest_of_its_lane_back(world, crm):
    for _ in range(3):
        world.send("contact.updated")
    crm.on_handle = lambda _: world.drain.stop()
    assert world.work() == 1
    with reading() as session:
        states = session.scalars(select(Delivery.state).order_by(Delivery.id)).all()
    assert states == [DeliveryState.DONE, DeliveryState.PENDING, DeliveryState.PENDING]
    assert lane().owner is None
    assert world.sweeper.sweep() == 1, "it is due at once, for whoever goes on"
    crm.on_handle = None
    other = Drain.of_app(world.app, "other-worker")
    assert world.drain_lane(lane().id, other) == 2


def test_a_call_whose_lease_ended_while_it_was_prepared_is_not_sent(world, crm, monkeypatch):
    """Stopped after the last question to the database, and before the bytes went."""
    connect = HTTPConnection.connect

    def stall(connection) -> None:
        connect(connection)
        for lease in world.drain.engine.held.leases():
            lease.deadline -= 100

    monkeypatch.setattr(HTTPConnection, "connect", stall)
    with GlpiSimulator() as remote:
        crm.on_handle = lambda context: context.http.post(remote.url, json={})
        world.send("contact.created")
        assert world.work() == 0
        assert remote.requests() == []
    with reading() as session:
        assert session.scalars(select(Delivery.state)).all() == [DeliveryState.RUNNING]
