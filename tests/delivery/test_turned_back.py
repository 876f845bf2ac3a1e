"""A clock that was ahead and is set right stalls no lane."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub import services
from hub.database import in_transaction, reading
from hub.delivery.sweeper import Sweeper
from hub.models import Breaker, BreakerState, Delivery, DeliveryState, Event, Lane
from hub.sdk.errors import RetryLater

AHEAD = timedelta(days=2)


@pytest.fixture
def clock(world):
    """The hub's time, which is ahead of the senders' until ``set_right``."""
    world.clock.turn(timedelta(seconds=30) + AHEAD)
    world.sweeper.sweep()  # knows what time it was
    return world.clock


def set_right(world, clock, begins_anew: bool = False) -> int:
    """The clock goes back; answers how many deliveries the next round works on."""
    clock.turn(-AHEAD)
    world.ready.unhold(world.hook.id)  # Redis keeps its own time
    if begins_anew:
        world.sweeper = Sweeper(world.app)
    world.sweeper.sweep()
    return world.work()


def states() -> list[DeliveryState]:
    with reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


@pytest.mark.parametrize("begins_anew", [False, True])
def test_what_was_to_be_tried_again_is(world, crm, clock, begins_anew):
    crm.troubles = [RetryLater("busy", delay=60)]
    world.send("contact.created")
    assert world.work() == 1
    assert set_right(world, clock, begins_anew) == 1
    assert states() == [DeliveryState.DONE]


def test_what_waited_for_its_order_is_delivered(world, crm, clock):
    world.send("contact.created")
    late = clock.now() + timedelta(seconds=1)

    def put_off(session) -> None:
        session.execute(update(Event).values(settled_at=late))
        session.execute(update(Lane).values(due_at=late, queued_at=None))

    in_transaction(put_off)
    services.of(world.app).redis.delete("{hub}:ready:1")
    assert set_right(world, clock) == 1
    assert states() == [DeliveryState.DONE]


def test_an_open_breaker_is_probed(world, crm, clock):
    world.send("contact.created")
    in_transaction(
        lambda session: session.add(
            Breaker(
                hook_id=world.hook.id,
                state=BreakerState.OPEN,
                failures=5,
                probes=0,
                reason="down",
                retry_at=clock.now() + timedelta(seconds=10),
            )
        )
    )
    assert set_right(world, clock) == 1


def test_a_lane_that_was_forgotten_is_queued(world, crm, clock):
    world.send("contact.created")
    in_transaction(lambda session: session.execute(update(Lane).values(queued_at=clock.now())))
    services.of(world.app).redis.delete("{hub}:ready:1")
    assert set_right(world, clock) == 1


def test_what_was_put_off_by_a_clock_that_was_right_still_waits(world, crm, clock):
    clock.turn(-AHEAD)
    world.sweeper.sweep()
    crm.troubles = [RetryLater("busy", delay=600)]
    world.send("contact.created")
    assert world.work() == 1
    clock.turn(timedelta(seconds=8))
    world.sweeper.sweep()
    clock.turn(-timedelta(seconds=5))
    world.sweeper.sweep()
    assert world.work() == 0
    assert states() == [DeliveryState.WAITING]


def test_what_is_kept_back_still_is(make_world, crm):
    world = make_world(keeps_back=True)
    world.clock.turn(AHEAD)
    world.sweeper.sweep()
    world.send("contact.created")
    assert world.work() == 1
    assert set_right(world, world.clock) == 0
    assert states() == [DeliveryState.WAITING]
