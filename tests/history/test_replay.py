"""Replaying: one delivery, those of a filter, all; as often as one likes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hub.database import reading
from hub.history import replay
from hub.history.deliveries import NAMES, BadFilter, DeliveryFilter
from hub.models import Delivery, DeliveryState, Link
from hub.sdk import Rejected, Skip


def deliveries() -> list[tuple[DeliveryState, int]]:
    with reading() as session:
        rows = session.execute(select(Delivery.state, Delivery.attempts).order_by(Delivery.id))
        return [(row.state, row.attempts) for row in rows]


def work_again(world) -> int:
    world.sweeper.sweep()
    return world.work()


def test_what_is_done_is_not_created_again(world, crm):
    world.send("conversation.created", conversation="5")
    world.work()
    for times in range(2, 5):
        assert replay.replay(1) is True
        assert replay.replay(1) is False, "it is owed already"
        assert work_again(world) == 1
        assert deliveries() == [(DeliveryState.DONE, times)]
    assert crm.records == ["5"]
    with reading() as session:
        assert len(session.scalars(select(Link)).all()) == 1


def test_what_is_running_is_left_alone(world, crm):
    world.send("contact.created")
    answers = []
    crm.on_handle = lambda _: answers.append(replay.replay(1))
    world.work()
    assert answers == [False]


def test_dead_and_skipped_ones_are_worked_on_again_before_what_came_after(world, crm):
    crm.troubles = [Rejected("No such category."), Skip("Nothing to match on.")]
    for name in ("contact.created", "conversation.created"):
        world.send(name, conversation="5")
    world.work()
    assert crm.handled == []
    assert replay.replay_all(DeliveryFilter()) == 2
    world.send("contact.updated")
    assert work_again(world) == 3
    names = [name for name, _ in crm.handled]
    assert names == ["contact.created", "conversation.created", "contact.updated"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (DeliveryFilter(state=DeliveryState.DEAD), 3),
        (DeliveryFilter(state=DeliveryState.DONE), 4),
        (DeliveryFilter(event_name="contact.created"), 4),
        (DeliveryFilter(conversation_id="7"), 3),
        (DeliveryFilter(hook_id=99), 0),
        (DeliveryFilter(), 7),
    ],
)
def test_a_filter_in_batches(world, crm, monkeypatch, wanted, count):
    monkeypatch.setattr(replay, "BATCH", 2)
    crm.troubles = [Rejected("No.")] * 3
    for contact in range(4):
        world.send("contact.created", contact=str(contact))
    for contact in range(3):
        world.send("conversation.created", contact=str(contact), conversation="7", key=f"{contact}")
    world.work()
    assert replay.count(wanted, 100) == count
    assert replay.replay_all(wanted) == count
    assert replay.replay_all(wanted) == 0
    assert work_again(world) == count
    assert sum(attempts for _, attempts in deliveries()) == 7 + count


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_filter_is_what_was_given_and_tells_it_again(world):
    given = {
        "hook": 1,
        "state": "kept_back",
        "event": "contact.created",
        "conversation": "7",
        "contact": "8",
        "text": "ann",
        "begin": "2026-07-14T10:30",
        "end": "2026-07-15T10:30:00+02:00",
    }
    wanted = DeliveryFilter.of({**given, "limit": 5}, account_id=2, zone=UTC)
    assert set(given) == set(NAMES)
    assert wanted.account_id == 2
    assert wanted.begin == datetime(2026, 7, 14, 10, 30, tzinfo=UTC)
    assert wanted.told() == {**given, "begin": "2026-07-14T10:30:00+00:00"}
    assert DeliveryFilter.of({"state": "waiting"}).told() == {"state": "waiting"}
    assert DeliveryFilter.of({"text": ""}).told() == {}
    for wrong in ({"state": "lost"}, {"begin": "yesterday"}):
        with pytest.raises(BadFilter):
            DeliveryFilter.of(wrong)
