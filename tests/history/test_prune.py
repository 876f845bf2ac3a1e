"""Old history goes, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.fleet import upkeep
from hub.history import prune
from hub.history.prune import older_than
from hub.inbox.quarantine import Refused, Request, hold
from hub.models import Attempt, Delivery, DeliveryState, Event, Link, QuarantinedRequest
from hub.sdk import Rejected, RetryLater


def grow_old(event_id: int, days: float) -> None:
    received = SystemClock().now() - timedelta(days=days)
    in_transaction(
        lambda s: s.execute(update(Event).where(Event.id == event_id).values(received_at=received))
    )


def number_of(model: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def prune_all(days: float = 90) -> int:
    pruning = older_than(days * 86_400)
    gone = 0
    while (step := pruning.step()) is not None:
        gone += step
    return gone


def test_what_is_old_and_settled_goes_with_its_attempts_but_links_stay(world):
    (old,) = world.send("conversation.created", conversation="1")
    (young,) = world.send("conversation.created", conversation="2")
    world.work()
    grow_old(old, 91)
    grow_old(young, 89)
    assert older_than(90 * 86_400).count() == 1
    assert number_of(Event) == 2, "counting deletes nothing"
    assert prune_all() == 1
    assert (number_of(Event), number_of(Delivery), number_of(Attempt)) == (1, 1, 1)
    assert number_of(Link) == 2


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (RetryLater("Not now.", delay=1_000), DeliveryState.WAITING),
        (Rejected("Never."), DeliveryState.DEAD),
    ],
)
def test_what_is_owed_or_waits_for_a_decision_is_kept(world, crm, trouble, state):
    crm.troubles = [trouble]
    (event_id,) = world.send("contact.created")
    world.work()
    grow_old(event_id, 1_000)
    assert prune_all() == 0
    with reading() as session:
        assert session.scalars(select(Delivery.state)).one() == state


def test_it_goes_in_batches_past_what_is_kept(world, crm, monkeypatch):
    monkeypatch.setattr(prune, "BATCH", 3)
    crm.troubles = [Rejected("Never.")]
    for number in range(10):
        (event_id,) = world.send("contact.created", contact=str(number))
        grow_old(event_id, 100)
    world.work()
    pruning = older_than(90 * 86_400)
    assert [pruning.step() for _ in range(4)] == [3, 3, 3, None]
    assert number_of(Event) == 1


def test_old_refused_requests_go_too(world, monkeypatch):
    monkeypatch.setattr(prune, "BATCH", 2)
    refusal = Refused(401, "signature_wrong", "The signature is wrong.")
    for days in (1, 89, 91, 92, 93):
        request = Request({}, b"{}", SystemClock().now() - timedelta(days=days))
        in_transaction(partial(hold, source=world.source, request=request, refusal=refusal))
    assert older_than(90 * 86_400).count_requests() == 3
    assert prune_all() == 3
    assert number_of(QuarantinedRequest) == 2


def test_the_sweepers_process_prunes_a_few_batches_a_round(world, monkeypatch):
    monkeypatch.setattr(prune, "BATCH", 2)
    monkeypatch.setattr(upkeep, "BATCHES", 2)
    monkeypatch.setattr(upkeep, "PAUSE", 0)
    for number in range(5):
        (event_id,) = world.send("contact.created", contact=str(number))
        grow_old(event_id, 100)
    world.work()
    upkeep.run()
    assert number_of(Event) == 1
    upkeep.run()
    assert number_of(Event) == 0
