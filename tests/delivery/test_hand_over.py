"""From one lane to the next: handed over before its last work is written down, with it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy import select, update

from hub import services
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import taking
from hub.models import Attempt, Delivery, DeliveryState, Lane
from hub.queue.mutex import lane_key
from hub.queue.ready import TakenLane
from hub.sdk import Call, RetryLater


class Row:
    """Lanes in a row, as a worker hands them over."""

    def __init__(self, world) -> None:
        self._world = world
        self.handed_over: list[int] = []

    def hand_over(self, lane: TakenLane) -> TakenLane | None:
        self.handed_over.append(lane.lane_id)
        return self._world.ready.exchange(lane, "test-worker")

    def drain(self) -> int:
        first = self._world.ready.take("test-worker")
        assert first is not None
        return self._world.drain.drain(first, self.hand_over)


@pytest.fixture
def row(world):
    return Row(world)


def states() -> list[DeliveryState]:
    with reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def owners() -> set[str | None]:
    with reading() as session:
        return set(session.scalars(select(Lane.owner)))


def test_lanes_are_drained_in_a_row(world, crm, row):
    for contact in ("1", "2", "3"):
        world.send("contact.created", contact=contact)
        world.send("conversation.created", contact=contact, conversation=contact)
    assert row.drain() == 6
    assert [name for name, _ in crm.handled] == ["contact.created", "conversation.created"] * 3
    assert states() == [DeliveryState.DONE] * 6
    assert owners() == {None}
    assert len(row.handed_over) == 3
    redis = services.of(world.app).redis
    assert redis.keys("CRM_PROCESS_MUTEX::*") == []
    assert redis.zcard(f"{{hub}}:slots:{world.hook.id}") == 0


def test_what_comes_for_a_lane_that_is_handed_over_is_announced(world, crm, row):
    world.send("contact.created")
    sent = row.hand_over

    def more_comes(lane: TakenLane) -> TakenLane | None:
        following = sent(lane)
        if len(row.handed_over) == 1:
            world.send("contact.updated")
        return following

    row.hand_over = more_comes
    assert row.drain() == 1
    assert states() == [DeliveryState.DONE, DeliveryState.PENDING]
    assert row.drain() == 1
    assert states() == [DeliveryState.DONE] * 2


def test_what_comes_while_a_lane_is_given_back_is_not_forgotten(world, row, monkeypatch):
    """It has to wait for the lane's row, or the lane would be given back as owing nothing."""
    world.send("contact.created")
    leave = taking.leave

    def send() -> None:
        with world.app.app_context():
            world.send("contact.updated")

    sender = threading.Thread(target=send)

    def more_comes(session, lease, now):
        rest = leave(session, lease, now)
        if sender.ident is None:
            sender.start()
            sender.join(timeout=0.5)
        return rest

    monkeypatch.setattr(taking, "leave", more_comes)
    row.drain()
    sender.join()
    with reading() as session:
        assert session.scalar(select(Lane.due_at)) is not None
    row.drain()
    assert states() == [DeliveryState.DONE] * 2


def test_a_lane_that_must_wait_is_not_announced(world, crm, row):
    crm.troubles = [RetryLater("The CRM is down.", delay=60)]
    world.send("contact.created")
    world.send("contact.created", contact="2")
    assert row.drain() == 2
    assert states() == [DeliveryState.WAITING, DeliveryState.DONE]
    assert world.ready.take() is None


def test_a_lane_that_was_lost_does_not_take_the_next_with_it(world, crm, row):
    """Its outcome may not be written; the lane that follows is worked on all the same."""
    world.send("contact.created")
    world.send("contact.created", contact="2")
    sent = row.hand_over

    def lose(lane: TakenLane) -> TakenLane | None:
        if len(row.handed_over) == 0:
            in_transaction(
                lambda session: session.execute(
                    update(Lane)
                    .where(Lane.id == lane.lane_id)
                    .values(
                        epoch=Lane.epoch + 1,
                        owner="thief",
                        lease_until=SystemClock().now() + timedelta(seconds=60),
                    )
                )
            )
        return sent(lane)

    row.hand_over = lose
    row.drain()
    assert states() == [DeliveryState.RUNNING, DeliveryState.DONE]
    assert owners() == {"thief", None}


def test_without_redis_the_outcome_is_written_all_the_same(world, crm, row):
    world.send("contact.created")

    def gone(_: TakenLane) -> TakenLane | None:
        raise RedisGone("gone")

    row.hand_over = gone
    assert row.drain() == 1
    assert states() == [DeliveryState.DONE]
    assert owners() == {None}


def test_a_worker_that_stops_hands_nothing_over(world, crm, row):
    world.send("contact.created")
    world.send("contact.created", contact="2")
    crm.on_handle = lambda _: world.drain.stop()
    assert row.drain() == 1
    assert row.handed_over == []
    assert states() == [DeliveryState.DONE, DeliveryState.PENDING]


def test_the_mutex_goes_with_the_lane(world, crm, row):
    redis = services.of(world.app).redis
    world.send("contact.created")
    world.send("contact.created", contact="2")
    with reading() as session:
        keys = [lane_key(world.hook.id, lane) for lane in session.scalars(select(Lane.id))]
    held: list[list[bool]] = []
    crm.on_handle = lambda _: held.append([redis.get(key) is not None for key in keys])
    row.drain()
    assert held == [[True, False], [False, True]]


def test_every_attempt_is_its_own_lanes(world, crm, row):
    for contact in ("1", "2"):
        world.send("contact.created", contact=contact)
    row.drain()
    with reading() as session:
        attempts = session.execute(
            select(Attempt.delivery_id, Attempt.number).order_by(Attempt.id)
        ).all()
    assert [number for _, number in attempts] == [1, 1]
    assert len({delivery for delivery, _ in attempts}) == 2


def test_a_breaker_that_opens_holds_back_the_next_lane(world, crm, row):
    """It opens in the transaction that would begin that lane."""
    failures = services.of(world.app).config.policies.breaker.failures
    crm.troubles = [RetryLater("The CRM is down.", delay=60) for _ in range(failures)]
    called = Call("GET", "http://crm", "", 1, None, "", "", "down")
    crm.on_handle = lambda context: context.http._rules.after(called)
    for contact in range(failures + 3):
        world.send("contact.created", contact=str(contact))
    row.drain()
    assert states().count(DeliveryState.WAITING) == failures
    assert states().count(DeliveryState.PENDING) == 3


def test_redis_is_told_to_hold_a_hook_after_the_commit(world, crm, row, monkeypatch):
    """A command to Redis within the transaction would keep everybody's from the database."""
    failures = services.of(world.app).config.policies.breaker.failures
    crm.troubles = [RetryLater("The CRM is down.", delay=60) for _ in range(failures)]
    called = Call("GET", "http://crm", "", 1, None, "", "", "down")
    crm.on_handle = lambda context: context.http._rules.after(called)
    for contact in range(failures + 1):
        world.send("contact.created", contact=str(contact))
    told: list[set[str | None]] = []
    monkeypatch.setattr(world.drain.engine.ready, "hold", lambda *_: told.append(owners()))
    row.drain()
    assert told == [{None}]


def test_the_trouble_of_the_next_lane_does_not_touch_the_last_outcome(world, crm, row, monkeypatch):
    """Its hook's secrets cannot be read, say."""
    world.send("contact.created")
    world.send("contact.created", contact="2")
    choose = taking.choose

    def fail_for_the_second(*given):
        if row.handed_over:
            raise ValueError("cannot be read")
        return choose(*given)

    monkeypatch.setattr(taking, "choose", fail_for_the_second)
    row.drain()
    assert states() == [DeliveryState.DONE, DeliveryState.WAITING]
    assert owners() == {None}
