"""The way of a delivery through its lane."""

from __future__ import annotations

from sqlalchemy import select

from hub import services
from hub.database import reading
from hub.models import Attempt, Delivery, DeliveryState
from hub.sdk import Done, Event, Rejected, RetryLater, Skip


def states() -> list[tuple[DeliveryState, str]]:
    with reading() as session:
        rows = session.execute(select(Delivery.state, Delivery.reason).order_by(Delivery.id))
        return [(row.state, row.reason) for row in rows]


def test_deliveries_of_a_lane_are_paid_oldest_first(world, crm):
    world.send("contact.created")
    world.send("conversation.created", conversation="5")
    world.send("message.created", conversation="5", message="8")
    assert world.work() == 3
    assert crm.handled == [
        ("contact.created", "1"),
        ("conversation.created", "5"),
        ("message.created", "8"),
    ]
    assert [state for state, _ in states()] == [DeliveryState.DONE] * 3
    assert crm.records == ["5"]


def test_a_transient_failure_keeps_the_lane_in_order(world, crm):
    crm.troubles = [RetryLater("The CRM is down.", delay=0)]
    world.send("contact.created")
    world.send("conversation.created", conversation="5")
    assert world.work() == 1
    assert states() == [
        (DeliveryState.WAITING, "The CRM is down."),
        (DeliveryState.PENDING, ""),
    ]
    assert crm.handled == []


def test_a_rejected_delivery_is_a_dead_letter_and_the_lane_goes_on(world, crm):
    crm.troubles = [Rejected("No such category.", field="category_id")]
    world.send("contact.created")
    world.send("conversation.created", conversation="5")
    assert world.work() == 2
    assert states()[0] == (DeliveryState.DEAD, "No such category. (category_id)")
    assert crm.handled == [("conversation.created", "5")]


def test_a_skipped_delivery_says_why(world, crm):
    crm.troubles = [Skip("Nothing to match on.")]
    world.send("contact.created")
    world.work()
    assert states() == [(DeliveryState.SKIPPED, "Nothing to match on.")]


def test_messages_that_wait_together_are_handled_in_one_batch(make_world, crm):
    world = make_world(batches={"message.created": 50})
    for number in range(20):
        world.send("message.created", conversation="5", message=str(number))
    world.send("message.created", conversation="6", message="20")
    assert world.work() == 21
    assert [local for _, local in crm.handled] == [str(number) for number in range(21)]
    with reading() as session:
        batches = session.scalars(select(Attempt.batch_of).order_by(Attempt.id)).all()
    assert batches.count(None) == 2


def test_a_plugin_may_use_up_the_list_of_a_batch(make_world, monkeypatch):
    world = make_world(batches={"message.created": 50})
    for number in ("1", "2", "3"):
        world.send("message.created", conversation="5", message=number)

    def take_out(_: object, events: list[Event]) -> list[Done]:
        return [Done(f"{events.pop(0).message.id}.") for _ in range(len(events))]

    processor = services.of(world.app).registry.plugins["crm"].processor
    monkeypatch.setattr(processor, "handle_message_created_batch", take_out)
    world.work()
    assert states() == [(DeliveryState.DONE, f"{number}.") for number in ("1", "2", "3")]


def test_a_newer_update_of_a_contact_supersedes_the_older(make_world, crm):
    world = make_world(supersedable=frozenset({"contact.updated"}))
    world.send("contact.updated")
    world.send("conversation.created", conversation="5")
    world.send("contact.updated")
    assert world.work() == 2
    assert [state for state, _ in states()] == [
        DeliveryState.SUPERSEDED,
        DeliveryState.DONE,
        DeliveryState.DONE,
    ]
    assert [name for name, _ in crm.handled] == ["contact.updated", "conversation.created"]
