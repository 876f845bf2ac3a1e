"""The circuit breaker, and the patience behind it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub.accounts import hooks
from hub.database import reading
from hub.models import Attempt, Breaker, BreakerState, Delivery, DeliveryState, HookStatus
from hub.policy import (
    BreakerPolicy,
    RetryPolicy,
)
from hub.sdk import Call, NeedsAttention, RetryLater


@pytest.fixture
def clock(world):
    """The hub's time, which stands still."""
    # A little ahead of the events, which are received by the machine's clock.
    world.clock.turn(timedelta(seconds=30))
    return world.clock


def call_was_made(context) -> None:
    """A handling counts for the breaker when it has called."""
    context.http._rules.after(Call("GET", "http://crm", "", 1, None, "", "", "down"))


def states() -> list[DeliveryState]:
    with reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def breaker() -> Breaker:
    with reading() as session:
        return session.scalars(select(Breaker)).one()


def attempts() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Attempt)) or 0


def round_trip(world, clock, seconds: float) -> int:
    clock.sleep(seconds)
    # Redis keeps its own time: what it holds back is let go by hand.
    world.ready.unhold(world.hook.id)
    world.sweeper.sweep()
    return world.work()


def test_six_hours_of_outage_cost_a_handful_of_calls_and_no_dead_letter(world, crm, clock):
    down = True

    def answer(context) -> None:
        call_was_made(context)
        if down:
            raise RetryLater("crm.example did not answer in time.")

    crm.on_handle = answer
    for number in range(40):
        world.send("contact.created", contact=str(number))
        world.send("contact.updated", contact=str(number))
    world.work()
    assert breaker().state == BreakerState.OPEN
    assert hooks.find(world.hook.id).status == HookStatus.DEGRADED
    opened_after = attempts()
    assert opened_after == 5
    ended = clock.now() + timedelta(hours=6)
    while clock.now() < ended:
        round_trip(world, clock, 60)
    assert attempts() - opened_after < 90, "one probe every five minutes at most"
    assert DeliveryState.DEAD not in states()
    down = False
    for _ in range(100):
        round_trip(world, clock, 60)
    assert set(states()) == {DeliveryState.DONE}
    assert breaker().state == BreakerState.CLOSED
    assert hooks.find(world.hook.id).status == HookStatus.ACTIVE
    for number in range(40):
        said = [name for name, local in crm.handled if local == str(number)]
        assert said == ["contact.created", "contact.updated"]


def test_one_probe_at_a_time(world, crm, clock):
    def fail(context) -> None:
        call_was_made(context)
        raise RetryLater("down")

    crm.on_handle = fail
    for number in range(8):
        world.send("contact.created", contact=str(number))
    world.work()
    before = attempts()
    assert round_trip(world, clock, 3_600) == 1
    assert attempts() == before + 1
    assert breaker().probes == 1


def test_all_lanes_go_on_as_soon_as_the_probe_succeeds(world, crm, clock):
    """A lane that was taken meanwhile has the hook held until the next probe."""
    crm.on_handle = call_was_made
    crm.troubles = [RetryLater("down")] * 5
    for number in range(8):
        world.send("contact.created", contact=str(number))
    world.work()
    assert breaker().state == BreakerState.OPEN
    clock.sleep(3_600)
    world.ready.unhold(world.hook.id)
    world.sweeper.sweep()
    meanwhile = []

    def take_another(context) -> None:
        call_was_made(context)
        if not meanwhile:
            meanwhile.append(world.ready.take("test-worker"))
            assert world.drain.drain(meanwhile[0]) == 0
            world.ready.give_back(meanwhile[0])
            assert world.ready.take("test-worker") is None

    crm.on_handle = take_another
    assert world.drain.drain(world.ready.take("test-worker")) == 1
    assert breaker().state == BreakerState.CLOSED
    assert world.ready.take("test-worker") is not None


def test_the_pause_that_a_remote_asks_for_holds_for_all_lanes(world, crm, clock):
    crm.troubles = [RetryLater("crm.example asks for fewer calls.", delay=30, throttled=True)]
    for number in range(3):
        world.send("contact.created", contact=str(number))
    world.work()
    assert attempts() == 1
    assert breaker().state == BreakerState.CLOSED
    assert round_trip(world, clock, 29) == 0
    assert round_trip(world, clock, 2) == 2
    round_trip(world, clock, 60)
    assert set(states()) == {DeliveryState.DONE}


def test_wrong_credentials_stop_the_hook_and_lose_nothing(world, crm, clock):
    crm.troubles = [NeedsAttention("The token was refused; enter a new one.", field="key")]
    world.send("contact.created")
    world.send("contact.created", contact="2")
    world.work()
    hook = hooks.find(world.hook.id)
    assert (hook.status, hook.status_detail) == (
        HookStatus.NEEDS_ATTENTION,
        "The token was refused; enter a new one.",
    )
    assert set(states()) == {DeliveryState.PENDING}
    assert round_trip(world, clock, 60) == 0
    hooks.update(hook.id, {"key": "a new one"})
    assert round_trip(world, clock, 1) == 2
    assert set(states()) == {DeliveryState.DONE}


def test_patience_ends_after_three_days(world, crm, clock):
    crm.troubles = [RetryLater("down")] * 1_000
    world.send("contact.created")
    world.work()
    begin = clock.now()
    while clock.now() - begin < timedelta(hours=71):
        round_trip(world, clock, 3_700)
    assert states() == [DeliveryState.WAITING]
    round_trip(world, clock, 2 * 3_700)
    assert states() == [DeliveryState.DEAD]
    with reading() as session:
        reason = session.scalars(select(Delivery.reason)).one()
    assert reason == "Given up after 72 hours: down"


def test_a_bug_is_retried_a_few_times_and_then_set_aside(world, crm, clock):
    crm.troubles = [ZeroDivisionError("division by zero")] * 10
    world.send("contact.created")
    world.send("contact.updated")
    world.work()
    for _ in range(10):
        round_trip(world, clock, 60)
    assert states() == [DeliveryState.DEAD, DeliveryState.DEAD]
    with reading() as session:
        bugs = session.scalars(select(Attempt).order_by(Attempt.id)).all()
    assert len(bugs) == 10
    assert "ZeroDivisionError" in bugs[0].traceback


@pytest.mark.parametrize("failures", [1, 2, 5, 12, 50, 1_000])
def test_backoff_is_jittered_and_bounded(failures):
    policy, rng = RetryPolicy(), random.Random(1)
    delays = [policy.delay(failures, rng) for _ in range(200)]
    ceiling = min(3_600.0, 2.0 * 2 ** min(failures - 1, 30))
    assert min(delays) >= 1.0
    assert max(delays) <= ceiling
    assert max(delays) - min(delays) > ceiling / 3


def test_probes_come_less_and_less_often():
    policy = BreakerPolicy()
    assert [policy.probe_after(number) for number in range(7)] == [10, 20, 40, 80, 160, 300, 300]
