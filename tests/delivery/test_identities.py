"""The identity mutex: claimed as the work begins if the plugin could foresee it, or when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from hub.database import in_transaction, reading
from hub.database.prepared import run
from hub.delivery import identities
from hub.models import Delivery, DeliveryState, IdentityClaim, Lane
from hub.sdk import Remote, RetryLater
from tests.support.statements import before_each

ANN = "email:ann@example.com"


def foresee(event, default_region) -> Sequence[str]:
    return [ANN]


def foresee_badly(event, default_region) -> Sequence[str]:
    raise KeyError("no such thing")


def foresee_late(event, default_region) -> Iterator[str]:
    yield ANN
    raise KeyError("no such thing")


FORESIGHTS = {
    "foreseen": foresee,
    "not foreseen": lambda *_: (),
    "failed": foresee_badly,
    "failed late": foresee_late,
    "nothing": lambda *_: None,
    "no texts": lambda *_: [None],
    "no characters": lambda *_: ["\ud800"],
}


@pytest.fixture(params=FORESIGHTS.values(), ids=FORESIGHTS.keys())
def world(request, make_world):
    return make_world(identity_keys=request.param)


@pytest.fixture
def foreseeing(make_world):
    world = make_world(identity_keys=foresee)
    policies = world.drain.engine.policies
    impatient = replace(policies.lease, identity_wait=0.2)
    world.drain.engine.policies = replace(policies, lease=impatient)
    return world


def claims() -> int:
    with reading() as session:
        return len(session.scalars(select(IdentityClaim)).all())


def add_claim(session, world, key: str, *, is_stale: bool = False) -> None:
    """One of another worker, with the lease of a lane of its own, or after it gave that back."""
    lane = Lane(hook_id=world.hook.id, key=f"another/{key}/{is_stale}", epoch=1)
    if not is_stale:
        lane.owner, lane.lease_until = "another", datetime.now(UTC) + timedelta(minutes=1)
    session.add(lane)
    session.flush()
    (digest,) = identities.digests([key])
    session.add(IdentityClaim(hook_id=world.hook.id, key=digest, lane_id=lane.id, epoch=lane.epoch))
    session.flush()


def take_from_afar(world, key: str, *, is_stale: bool = False) -> None:
    in_transaction(lambda session: add_claim(session, world, key, is_stale=is_stale))


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
    both = threading.Barrier(2, timeout=120)

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


def test_who_fails_to_get_all_keys_has_none(foreseeing, crm):
    """Also if some were claimed ahead: nobody waits for another crosswise, or trusts a claim that
    is given up."""
    held = []

    def handle(context) -> None:
        rival = "phone:4915112345678"
        take_from_afar(foreseeing, rival)
        with pytest.raises(RetryLater), context.identity(ANN, rival):
            pass
        held.append(claims())
        take_from_afar(foreseeing, ANN)
        with pytest.raises(RetryLater), context.identity(ANN):
            pass

    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (held, claims(), states()) == ([1], 2, [DeliveryState.DONE])


def test_who_waits_holds_nothing_that_another_might_wait_for(foreseeing, crm, monkeypatch):
    held = []

    def pause(_: float) -> None:
        held.append(claims())
        time.sleep(0.05)

    def handle(context) -> None:
        take_from_afar(foreseeing, "phone:1")
        monkeypatch.setattr(context.clock, "sleep", pause)
        with pytest.raises(RetryLater), context.identity("phone:1"):
            pass

    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert set(held) == {1}


def test_nobody_creates_for_a_person_whom_another_has_by_now(foreseeing, crm):
    """The lease had ended for a while, as that of a paused process does; then it was renewed."""
    created = []

    def create() -> Remote:
        created.append(1)
        return Remote("1")

    def handle(context) -> None:
        with context.identity(ANN):
            in_transaction(lambda session: session.execute(delete(IdentityClaim)))
            take_from_afar(foreseeing, ANN)
            context.links.create_once("person", "1", create=create, find=lambda _: None)

    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (created, claims(), states()) == ([], 1, [DeliveryState.WAITING])


def test_a_stale_claim_is_dropped_as_it_was_seen(foreseeing, crm, monkeypatch):
    """Another drops it in the same moment, and makes its own, which stays."""
    drop_stale = identities.Identities._drop_stale

    def be_too_late(this, session, wanted) -> None:
        monkeypatch.setattr(identities.Identities, "_drop_stale", drop_stale)
        seen = run(session, identities._CLAIMED, of_hook=foreseeing.hook.id, keys=wanted)
        session.execute(delete(IdentityClaim))
        add_claim(session, foreseeing, "phone:1")

        def run_late(session, statement, **values):
            return seen if statement is identities._CLAIMED else run(session, statement, **values)

        with monkeypatch.context() as patch:
            patch.setattr(identities, "run", run_late)
            drop_stale(this, session, wanted)

    def handle(context) -> None:
        with pytest.raises(RetryLater), context.identity("phone:1"):
            pass

    take_from_afar(foreseeing, "phone:1", is_stale=True)
    monkeypatch.setattr(identities.Identities, "_drop_stale", be_too_late)
    crm.on_handle = handle
    foreseeing.send("contact.created")
    foreseeing.work()
    assert (claims(), states()) == (1, [DeliveryState.DONE])


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
