"""The identity mutex: claimed as the work begins if the plugin could foresee it, or when asked."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from hub.database import reading
from hub.models import Delivery, DeliveryState, IdentityClaim
from hub.sdk import RetryLater
from tests.support.statements import before_each

ANN = "email:ann@example.com"


def foresee(event, default_region) -> Sequence[str]:
    return [ANN]


def foresee_badly(event, default_region) -> Sequence[str]:
    raise KeyError("no such thing")


FORESIGHTS = {"foreseen": foresee, "not foreseen": lambda *_: (), "failed": foresee_badly}


@pytest.fixture(params=FORESIGHTS.values(), ids=FORESIGHTS.keys())
def world(request, make_world):
    return make_world(identity_keys=request.param)


@pytest.fixture
def foreseeing(make_world):
    return make_world(identity_keys=foresee)


def claims() -> int:
    with reading() as session:
        return len(session.scalars(select(IdentityClaim)).all())


def states() -> list[DeliveryState]:
    with reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def test_a_claim_is_held_within_the_block_and_over_with_the_outcome(world, crm):
    held = []

    def handle(context) -> None:
        with context.identity(ANN):
            held.append(claims())

    crm.on_handle = handle
    world.send("contact.created")
    assert world.work() == 1
    assert (held, claims(), states()) == ([1], 0, [DeliveryState.DONE])


def test_one_worker_at_a_time_has_the_person(world, crm):
    """Two lanes that begin at the same moment: the one waits for the other's outcome."""
    inside = []
    seen = []
    both = threading.Barrier(2, timeout=10)

    def handle(context) -> None:
        both.wait()
        with context.identity(ANN):
            inside.append(context)
            seen.append(len(inside))
            # Long enough for the other to come in, if it could.
            context.clock.sleep(0.2)
            inside.remove(context)

    def drain(lane: int) -> None:
        with world.app.app_context():
            world.drain_lane(lane)

    crm.on_handle = handle
    for contact in ("1", "2"):
        world.send("contact.created", contact=contact)
    with reading() as session:
        lanes = session.scalars(select(Delivery.lane_id)).all()
    threads = [threading.Thread(target=drain, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1, 1]
    assert (claims(), states()) == (0, [DeliveryState.DONE] * 2)


def test_what_was_foreseen_needs_no_transaction_of_its_own(foreseeing, crm):
    told = []

    def handle(context) -> None:
        with before_each(lambda _, statement: told.append(statement)), context.identity(ANN):
            pass

    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert told == []


def test_a_claim_that_nobody_asked_for_is_over_with_the_outcome(foreseeing, crm):
    held = []
    crm.on_handle = lambda context: held.append(claims())
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (held, claims()) == ([1], 0)


def test_more_than_was_foreseen_is_claimed_when_asked(foreseeing, crm):
    held = []

    def handle(context) -> None:
        with context.identity(ANN, "phone:4915112345678"):
            held.append(claims())

    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (held, claims()) == ([2], 0)


def test_a_claim_of_a_try_that_failed_is_over(foreseeing, crm):
    crm.troubles = [RetryLater("Not now.")]
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (claims(), states()) == (0, [DeliveryState.WAITING])


def test_a_person_of_whom_the_lane_has_heard_is_not_claimed_ahead(foreseeing, crm):
    """It is probably linked by now, and nobody will ask."""
    foreseeing.send("contact.created")
    foreseeing.work()
    held = []
    crm.on_handle = lambda context: held.append(claims())
    foreseeing.send("contact.updated")
    foreseeing.work()
    assert held == [0]
