"""What a dead, slow or paused worker leaves behind, and how the next one goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub import services
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import attempt, lanes
from hub.delivery.drain import Drain
from hub.delivery.taking import Taking
from hub.models import Attempt, AttemptOutcome, Delivery, DeliveryState, Lane, Link, LinkState
from hub.sdk import RetryLater


class WorkerDied(BaseException):
    """Stands for a SIGKILL: nothing after it runs, and nothing catches it."""


def die(*_: object) -> None:
    raise WorkerDied


def state_of(event_id: int) -> DeliveryState:
    with reading() as session:
        return session.scalars(select(Delivery.state).where(Delivery.event_id == event_id)).one()


def end_leases() -> None:
    in_transaction(
        lambda session: session.execute(
            update(Lane)
            .where(Lane.owner.is_not(None))
            .values(lease_until=SystemClock().now() - timedelta(seconds=1))
        )
    )


def only_lane() -> int:
    with reading() as session:
        return session.scalars(select(Lane.id)).one()


def test_another_worker_goes_on_when_the_lease_has_ended(world, crm, monkeypatch):
    (event_id,) = world.send("contact.created")
    with monkeypatch.context() as patched:
        patched.setattr(attempt.Attempt, "run", die)
        with pytest.raises(WorkerDied):
            world.drain_lane(only_lane())
    assert state_of(event_id) == DeliveryState.RUNNING
    assert world.drain_lane(only_lane()) == 0, "the dead worker's lease still holds"
    end_leases()
    assert world.drain_lane(only_lane()) == 1
    assert crm.handled == [("contact.created", "1")]
    with reading() as session:
        outcomes = session.scalars(select(Attempt.outcome).order_by(Attempt.number)).all()
    assert outcomes == [AttemptOutcome.CRASHED, AttemptOutcome.DONE]


def test_a_delivery_that_kills_its_worker_again_and_again_is_set_aside(world, crm, monkeypatch):
    (poison,) = world.send("contact.created")
    (next_one,) = world.send("contact.updated")
    with monkeypatch.context() as patched:
        patched.setattr(attempt.Attempt, "run", die)
        for _ in range(5):
            with pytest.raises(WorkerDied):
                world.drain_lane(only_lane())
            end_leases()
    world.drain_lane(only_lane())
    assert state_of(poison) == DeliveryState.DEAD
    assert state_of(next_one) == DeliveryState.DONE


def test_a_create_that_was_cut_off_is_adopted_not_repeated(world, crm, monkeypatch):
    """The worker dies after the remote made the record and before the link was written."""
    world.send("conversation.created", conversation="5")
    with monkeypatch.context() as patched:
        patched.setattr(Taking, "settle", die)
        with pytest.raises(WorkerDied):
            world.drain_lane(only_lane())
    assert crm.records == ["5"]
    with reading() as session:
        assert session.scalars(select(Link.state)).one() == LinkState.INTENT
    end_leases()
    assert world.drain_lane(only_lane()) == 1
    assert crm.records == ["5"]
    with reading() as session:
        link = session.scalars(select(Link)).one()
    assert (link.state, link.remote_id, link.adopted) == (LinkState.LINKED, "1", True)


def test_a_create_that_may_still_be_running_there_is_waited_for(world, crm, monkeypatch):
    """Nothing is found yet: the server may be at work on the first call still."""
    world.send("conversation.created", conversation="5")
    with monkeypatch.context() as patched:
        patched.setattr(Taking, "settle", die)
        with pytest.raises(WorkerDied):
            world.drain_lane(only_lane())
    made = crm.records.pop()
    end_leases()
    world.drain_lane(only_lane())
    with reading() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert delivery.state == DeliveryState.WAITING
    assert "may still be at work" in delivery.reason
    assert delivery.due_at is not None
    assert timedelta(seconds=20) < delivery.due_at - SystemClock().now() < timedelta(seconds=31)
    crm.records.append(made)  # the server has finished now
    in_transaction(
        lambda session: (
            session.execute(update(Delivery).values(due_at=SystemClock().now())),
            session.execute(update(Lane).values(due_at=SystemClock().now())),
        )
    )
    world.drain_lane(only_lane())
    assert crm.records == ["5"]


def test_a_create_that_is_begun_again_is_looked_for_by_its_new_key(world, crm):
    """The contact has another address since the first try, which made nothing."""
    keys, looked_for = iter(["first", "second", "third"]), []

    def begin(context):
        def create():
            raise RetryLater("No answer.")

        def find(intent):
            looked_for.append(intent.natural_key)

        links = context.links
        links.create_once("note", "1", create=create, find=find, natural_key=next(keys))

    crm.on_handle = begin
    world.send("contact.created")
    for _ in range(3):
        world.drain_lane(only_lane())
        long_ago = SystemClock().now() - timedelta(minutes=1)
        in_transaction(
            lambda session, then=long_ago: (
                session.execute(update(Link).values(begun_at=then)),
                session.execute(update(Delivery).values(due_at=then)),
                session.execute(update(Lane).values(due_at=then)),
            )
        )
    assert looked_for == ["first", "second"]


def test_a_worker_that_lost_its_lane_writes_nothing(world, crm):
    """Paused for longer than its lease: when it wakes, the lane is another worker's."""
    (event_id,) = world.send("contact.created")
    other = Drain.of_app(world.app, "other-worker")

    def stall(_: object) -> None:
        crm.on_handle = None
        end_leases()
        in_transaction(
            lambda session: lanes.take(session, only_lane(), "thief", SystemClock().now(), 30)
        )

    crm.on_handle = stall
    assert world.drain_lane(only_lane()) == 0
    assert state_of(event_id) == DeliveryState.RUNNING, "the stalled worker wrote nothing"
    end_leases()
    services.of(world.app).redis.flushall()
    assert world.drain_lane(only_lane(), other) == 1
    assert state_of(event_id) == DeliveryState.DONE


def test_a_wiped_redis_loses_nothing(world, crm):
    world.send("contact.created")
    world.send("contact.created", contact="2")
    services.of(world.app).redis.flushall()
    assert world.work() == 0
    assert world.sweeper.sweep() == 2
    assert world.work() == 2
    assert world.sweeper.sweep() == 0


def test_what_waits_for_its_time_is_queued_when_it_comes(world, crm):
    world.send("contact.created")
    world.work()
    (event_id,) = world.send("contact.updated")
    clock = world.clock
    clock.stop()
    in_transaction(
        lambda session: session.execute(
            update(Lane).values(due_at=clock.now() + timedelta(seconds=60), queued_at=None)
        )
    )
    services.of(world.app).redis.flushall()
    world.sweeper.sweep()
    assert world.work() == 0
    clock.sleep(61)
    world.sweeper.sweep()
    assert world.work() == 1
    assert state_of(event_id) == DeliveryState.DONE
