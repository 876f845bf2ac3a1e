"""What is left: what goes by itself counts and is named, what waits for a person only named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hub.accounts import hooks
from hub.clock import SystemClock
from hub.database import in_transaction
from hub.history.leftovers import (
    is_settled,
    leftovers,
)
from hub.history.standing import Cause
from hub.models import Breaker, BreakerState, Delivery, DeliveryState, Hook, HookStatus, Lane
from tests.support.crm import World

INSTALLED = frozenset({"crm"})


def put(model: type[Any], **values: Any) -> None:
    """Into every row."""
    in_transaction(lambda session: session.execute(update(model).values(**values)))


def in_an_hour() -> datetime:
    return (SystemClock().now() + timedelta(hours=1)).astimezone(UTC)


def break_off(state: BreakerState, retry_at: datetime) -> None:
    in_transaction(lambda session: session.add(Breaker(hook_id=1, state=state, retry_at=retry_at)))


def at_work(lease: timedelta = timedelta(seconds=30)) -> None:
    put(Delivery, state=DeliveryState.RUNNING)
    put(Lane, owner="test-worker/1", lease_until=SystemClock().now() + lease)


def test_nothing_is_left(world: World):
    assert is_settled()
    assert leftovers(INSTALLED).going == 0
    world.send("contact.created")
    assert not is_settled()
    world.work()
    assert is_settled()
    assert leftovers(INSTALLED) == type(leftovers(INSTALLED))(0, None, [])


def wait_until(moment: datetime) -> None:
    put(Delivery, state=DeliveryState.WAITING, due_at=moment, reason="The CRM is down.")
    put(Lane, due_at=moment)


@pytest.mark.parametrize(
    ("make", "cause", "next_try"),
    [
        (lambda moment: None, Cause.DUE, False),
        (lambda moment: at_work(), Cause.RUNNING, False),
        (lambda moment: at_work(timedelta(seconds=-1)), Cause.WORKER_LOST, False),
        (wait_until, Cause.BACKOFF, True),
        (lambda moment: break_off(BreakerState.OPEN, moment), Cause.BREAKER_OPEN, True),
        (lambda moment: break_off(BreakerState.HALF_OPEN, moment), Cause.PROBING, False),
        (lambda moment: break_off(BreakerState.CLOSED, moment), Cause.REMOTE_PAUSE, True),
    ],
    ids=["due", "running", "its worker died", "backoff", "open", "half open", "throttled"],
)
def test_what_goes_by_itself_counts(world: World, make, cause, next_try):
    for contact in ("1", "2"):
        world.send("contact.created", contact=contact)
    moment = in_an_hour()
    make(moment)
    assert not is_settled()
    left = leftovers(INSTALLED)
    assert (left.going, left.held) == (2, [])
    oldest = left.oldest_going
    assert oldest is not None
    assert (oldest.delivery_id, oldest.connection.id) == (1, 1)
    assert oldest.standing.cause == cause
    assert oldest.standing.values.get("next_try") == (moment if next_try else None)
    assert str(oldest) == (
        f"delivery 1 of connection 1 ({world.hook.name}): {oldest.standing.in_english()}"
    )


@pytest.mark.parametrize(
    ("values", "plugins", "why"),
    [
        ({"enabled": False}, INSTALLED, "The connection is off."),
        (
            {"status": HookStatus.PAUSED, "status_detail": "Moving house"},
            INSTALLED,
            "The connection is paused. Moving house",
        ),
        (
            {"status": HookStatus.NEEDS_ATTENTION, "status_detail": "The key is wrong."},
            INSTALLED,
            "The connection needs attention. The key is wrong.",
        ),
        ({"status": HookStatus.SETTING_UP}, INSTALLED, "The connection is not set up yet."),
        ({}, frozenset(), "The plugin crm is not installed, or it is broken."),
    ],
    ids=["disabled", "paused", "needs attention", "setting up", "plugin missing"],
)
def test_what_waits_for_a_person_is_named_and_does_not_count(world: World, values, plugins, why):
    for contact in ("1", "2"):
        world.send("contact.created", contact=contact)
    put(Hook, **{"status_detail": "", **values})
    in_transaction(
        lambda session: session.execute(
            update(Delivery)
            .where(Delivery.id == 2)
            .values(state=DeliveryState.WAITING, due_at=in_an_hour(), reason="The CRM is down.")
        )
    )
    assert is_settled(plugins)
    left = leftovers(plugins)
    assert (left.going, left.oldest_going) == (0, None)
    assert [str(one) for one in left.held] == [
        f"2 deliveries (the oldest is 1) of connection 1 ({world.hook.name}): {why}"
    ]


def test_a_worker_ends_what_it_has_although_the_hook_is_paused(world: World):
    world.send("contact.created", contact="1")
    at_work()
    world.send("contact.created", contact="2")
    put(Hook, status=HookStatus.PAUSED, status_detail="")
    assert not is_settled()
    left = leftovers(INSTALLED)
    assert left.going == 1
    assert left.oldest_going is not None
    assert left.oldest_going.delivery_id == 1
    assert [held.count for held in left.held] == [1]
    put(Lane, owner=None, lease_until=None)  # it died, and nobody takes the lane of a paused hook
    assert is_settled()
    assert [held.count for held in leftovers(INSTALLED).held] == [2]


def test_each_connection_has_its_own_reason(world: World):
    healthy = hooks.create(world.account, "crm", {})[0]
    world.send("contact.created")
    in_transaction(
        lambda session: session.execute(
            update(Hook).where(Hook.id == 1).values(status=HookStatus.PAUSED)
        )
    )
    assert not is_settled()
    left = leftovers(INSTALLED)
    assert left.going == 1
    assert left.oldest_going is not None
    assert left.oldest_going.connection.id == healthy.id
    assert [held.connection.id for held in left.held] == [1]
    world.work()
    assert is_settled(), "a dead letter and what is done are not owed"
