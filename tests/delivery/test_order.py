"""Events of a source whose webhooks overtake each other are delivered as they happened."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select, update

from hub import services
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.inbox.accept import Submission, accept
from hub.inbox.order import SPAN, Patience, Place, SourceClocks
from hub.inbox.sources import Draft
from hub.inbox.sources.chatwoot import ChatwootSource
from hub.models import Delivery, Event, Lane
from hub.policy import OrderPolicy
from hub.queue.ready import Soon
from hub.sdk import RetryLater
from hub.sdk.events import Contact, Conversation, Message, Source
from hub.sdk.events import Event as Canonical
from tests.real.recording import webhooks
from tests.support.crm import NOW

BURST = "api: ten messages at once"
LATEST = 0.9
CHATWOOT = ChatwootSource()


class Lanes:
    """A world whose time the test moves: events arrive, and lanes are worked on when due."""

    def __init__(self, world) -> None:
        self.world = world
        self.clock = world.clock
        self.clock.stop(NOW)
        self.patience = Patience(OrderPolicy().patience)
        self._keys = count()

    def arrive(
        self, drafts: Sequence[Draft], sent_at: float | None = None, source_id: int = 1
    ) -> None:
        now = self.clock.now()
        submission = Submission(
            self.world.account.id,
            self.world.source.id,
            drafts,
            {},
            None,
            now,
            self.patience.places(drafts, source_id, sent_at, now),
        )
        registry = services.of(self.world.app).registry
        in_transaction(lambda session: accept(session, [submission], registry))

    def say(self, number: int, happened: float, name: str = "message.created") -> Draft:
        """Message ``number``, said so many seconds after the beginning."""
        moment = NOW + timedelta(seconds=happened)
        return Draft(
            Canonical(
                id=0,
                name=name,
                occurred_at=moment,
                source=Source(self.world.source.id, "chatwoot"),
                contact=Contact("1"),
                conversation=Conversation("7"),
                message=Message(str(number)),
            ),
            f"{next(self._keys)}",
            "contact:1",
            moment,
        )

    def at(self, seconds: float) -> None:
        self.clock.stop(NOW + timedelta(seconds=seconds))

    def due(self) -> list[tuple[datetime, int]]:
        with reading() as session:
            rows = session.execute(
                select(Lane.due_at, Lane.id).where(Lane.due_at.is_not(None)).order_by(Lane.due_at)
            )
            return [(row.due_at, row.id) for row in rows]

    def work_until(self, moment: datetime | None = None) -> None:
        """Work on each lane when it is due, until then; without a moment, until nothing is owed."""
        while due := self.due():
            at, lane_id = due[0]
            if moment is not None and at > moment:
                return
            self.clock.stop(max(at, self.clock.now()))
            self.world.drain_lane(lane_id)


@pytest.fixture
def lanes(world) -> Lanes:
    return Lanes(world)


def messages(crm) -> list[str]:
    return [number for name, number in crm.handled if name == "message.created"]


def recorded_burst() -> list[tuple[datetime, float, Sequence[Draft]]]:
    """When each webhook of the burst arrived and was sent, and what it means."""
    found = []
    for webhook in webhooks():
        if webhook.step == BURST:
            arrived = datetime.fromtimestamp(webhook.arrived_at, UTC)
            parsed = CHATWOOT.parse(webhook.body, Source(1, "chatwoot"), arrived)
            if parsed.drafts:
                found.append((arrived, webhook.sent_at, parsed.drafts))
    return found


def orders(number: int) -> Iterator[list[tuple[datetime, float, Sequence[Draft]]]]:
    """The recorded order, the opposite one, and others: each is late by up to 0.9 seconds."""
    yield recorded_burst()
    said = sorted(
        (drafts for _, _, drafts in recorded_burst() if drafts[0].event.message),
        key=lambda drafts: drafts[0].moment,
    )
    last = said[-1][0].moment
    yield _arriving(said, [last - drafts[0].moment for drafts in said])
    for seed in range(number):
        rng = random.Random(seed)
        yield _arriving(said, [timedelta(seconds=rng.uniform(0, LATEST)) for _ in said])


def _arriving(
    said: Sequence[Sequence[Draft]], late: Sequence[timedelta]
) -> list[tuple[datetime, float, Sequence[Draft]]]:
    moments = [drafts[0].moment + by for drafts, by in zip(said, late, strict=True)]
    arrivals = [
        (moment, float(int(moment.timestamp())), drafts)
        for moment, drafts in zip(moments, said, strict=True)
    ]
    return sorted(arrivals, key=lambda arrival: arrival[0])


def test_the_recorded_burst_in_every_order(make_world, crm):
    lanes = Lanes(make_world(batches={"message.created": 50}))
    said = sorted(
        (d[0].moment, d[0].event.message.id) for _, _, d in recorded_burst() if d[0].event.message
    )
    assert len(said) == 10
    for part, burst in enumerate(orders(10)):
        crm.handled.clear()
        for arrived, sent_at, drafts in burst:
            lanes.work_until(arrived)
            lanes.clock.stop(arrived)
            lanes.arrive([_again(draft, part) for draft in drafts], sent_at)
        lanes.work_until()
        assert messages(crm) == [number for _, number in said], part
        # Nobody waits for longer than that second.
        assert lanes.clock.now() <= max(item[0] for item in burst) + timedelta(seconds=1)


@pytest.mark.parametrize("late", [1.3, 3.0, 30.0])
def test_the_burst_is_in_order_although_the_hub_accepts_late(make_world, crm, late):
    """Each is older than a second then, but not because its source has held it."""
    lanes = Lanes(make_world(batches={"message.created": 50}))
    said = sorted(
        (d[0].moment, d[0].event.message.id) for _, _, d in recorded_burst() if d[0].event.message
    )
    for part, burst in enumerate(orders(5)):
        crm.handled.clear()
        lanes.patience = Patience(OrderPolicy().patience)
        earlier = burst[0][1] - 60
        lanes.patience.places([], 1, earlier, datetime.fromtimestamp(earlier, UTC))
        for arrived, sent_at, drafts in burst:
            taken = arrived + timedelta(seconds=late)
            lanes.work_until(taken)
            lanes.clock.stop(taken)
            lanes.arrive([_again(draft, part) for draft in drafts], sent_at)
        lanes.work_until()
        assert messages(crm) == [number for _, number in said], part
        # The second counts from the arrival at most.
        assert lanes.clock.now() <= taken + timedelta(seconds=1)


@pytest.mark.parametrize("late", [0.0, 0.4, 3.0])
def test_what_its_source_has_held_for_a_second_does_not_wait(lanes, late):
    """However late the hub accepts; and where it is not late, its own second is not longer."""
    lanes.patience.places([], 1, NOW.timestamp() - 60, NOW - timedelta(seconds=60))
    arrived = NOW + timedelta(seconds=late)
    old, new = lanes.say(1, -1.0), lanes.say(2, 0.0)
    places = lanes.patience.places([old, new], 1, NOW.timestamp(), arrived)
    assert places[0] == Place(old.moment)
    second = arrived if late > 1 else NOW
    assert places[1] == Place(new.moment, second + timedelta(seconds=1))
    # Nor does one that comes when the hub is quick again.
    soon = arrived + timedelta(seconds=2)
    newer = lanes.say(3, late + 1.5)
    (place,) = lanes.patience.places([newer], 1, int(NOW.timestamp()) + int(late + 2), soon)
    assert place == Place(newer.moment, newer.moment + timedelta(seconds=1))


def _again(draft: Draft, part: int) -> Draft:
    """The same once more, for another contact's lane."""
    return Draft(
        draft.event,
        f"{part}/{draft.dedupe_key}",
        f"{draft.lane_key}/{part}",
        draft.moment,
        draft.latest,
    )


def test_what_comes_meanwhile_waits_and_the_birth_is_first(lanes, crm):
    lanes.at(0.1)
    lanes.arrive([lanes.say(2, 0.05)])
    lanes.at(0.3)
    contact = lanes.say(1, 0.3, "contact.updated")
    lanes.arrive([Draft(contact.event, "contact", "contact:1")])
    lanes.at(0.4)
    lanes.arrive([lanes.say(1, 0.0), lanes.say(1, 0.0, "conversation.created")])
    lanes.work_until(NOW + timedelta(seconds=0.99))
    assert crm.handled == []
    lanes.work_until()
    assert crm.handled[0][0] == "conversation.created"
    assert ("contact.updated", "1") in crm.handled
    assert messages(crm) == ["1", "2"]


def test_messages_of_one_moment_are_sorted_by_number(lanes, crm):
    lanes.arrive([lanes.say(number, 0.0) for number in (1_000, 999, 10_000, 12)])
    lanes.work_until()
    assert messages(crm) == ["12", "999", "1000", "10000"]


def test_a_change_of_a_message_stays_behind_it(lanes, crm):
    lanes.arrive([lanes.say(2, 0.2), lanes.say(2, 0.2, "message.updated"), lanes.say(1, 0.0)])
    lanes.work_until()
    assert [(name[8:], number) for name, number in crm.handled] == [
        ("created", "1"),
        ("created", "2"),
        ("updated", "2"),
    ]


def test_what_comes_later_still_is_added_at_once(lanes, crm):
    lanes.arrive([lanes.say(2, 0.0)])
    lanes.work_until()
    lanes.at(5)
    lanes.arrive([lanes.say(1, -1.0)], sent_at=NOW.timestamp() + 5)
    assert lanes.due()[0][0] == lanes.clock.now()
    lanes.work_until()
    assert messages(crm) == ["2", "1"]


def test_what_was_begun_stays_in_front(lanes, crm):
    crm.troubles = [RetryLater("busy", delay=60)]
    lanes.arrive([lanes.say(2, 0.0)])
    lanes.at(1)
    lanes.work_until(lanes.clock.now())
    lanes.arrive([lanes.say(3, 1.0), lanes.say(1, -1.0)])
    assert lanes.due()[0][0] > NOW + timedelta(seconds=60), "the lane waits for its head"
    lanes.work_until()
    assert messages(crm) == ["2", "1", "3"]


def test_old_events_and_those_of_other_sources_do_not_wait(lanes):
    hour = timedelta(hours=1)
    draft = lanes.say(1, -3_600.0)
    sent_at = NOW.timestamp()
    assert lanes.patience.places([draft], 1, sent_at, NOW) == [Place(NOW - hour)]
    unordered = Draft(draft.event, "key", "contact:1")
    assert lanes.patience.places([unordered], 1, sent_at, NOW) == [Place()]
    assert Patience(0).places([draft], 1, sent_at, NOW) == ()


def test_a_batch_ends_before_what_has_not_waited(make_world, crm):
    lanes = Lanes(make_world(batches={"message.created": 50}))
    lanes.arrive([lanes.say(1, 0.0)], sent_at=NOW.timestamp())
    lanes.at(0.6)
    lanes.arrive([lanes.say(2, 0.5)], sent_at=NOW.timestamp())
    lanes.work_until(NOW + timedelta(seconds=1))
    assert messages(crm) == ["1"]
    lanes.work_until()
    assert messages(crm) == ["1", "2"]
    assert lanes.clock.now() == NOW + timedelta(seconds=1.5)


def test_what_a_plugin_sees_ahead_is_in_order(lanes, crm):
    seen = []
    crm.on_handle = lambda context: seen.append(
        [event.message.id for event in context.following("message.created")]
    )
    lanes.arrive([lanes.say(3, 0.2), lanes.say(2, 0.1), lanes.say(1, 0.0)])
    lanes.work_until()
    assert seen == [["2", "3"], ["3"], []]


def test_of_states_the_newest_by_their_own_time_supersedes(make_world, crm):
    lanes = Lanes(make_world(supersedable=frozenset({"conversation.updated"})))
    lanes.arrive([lanes.say(number, number / 10, "conversation.updated") for number in (1, 3, 2)])
    lanes.work_until()
    assert crm.handled == [("conversation.updated", "3")]


def test_the_closest_difference_of_the_clocks_is_remembered_for_minutes():
    passed = [0.0]
    clocks = SourceClocks(lambda: passed[0])

    def observed(ahead: float) -> float:
        moment = NOW + timedelta(seconds=ahead)
        return round(clocks.observe(1, NOW.timestamp(), moment).total_seconds(), 3)

    assert [observed(30.9), observed(30.2), observed(30.7)] == [30.9, 30.2, 30.2]
    passed[0] += SPAN
    assert observed(30.5) == 30.2
    passed[0] += SPAN
    assert observed(30.6) == 30.5, "what is older than minutes is forgotten"
    passed[0] += 10 * SPAN
    assert observed(31.0) == 31.0
    assert clocks.observe(2, NOW.timestamp(), NOW) == timedelta(0), "each source has its own"


@pytest.mark.parametrize("ahead", [-200.0, 0.0, 200.0])
def test_the_second_counts_by_the_clock_of_the_source(lanes, ahead):
    """Whatever the difference of the clocks is; and never for longer than from the arrival."""
    there = NOW - timedelta(seconds=ahead)
    draft = Draft(lanes.say(1, 0).event, "key", "contact:1", there)
    arrived = NOW + timedelta(seconds=0.4)
    (place,) = lanes.patience.places([draft], 1, there.timestamp(), NOW)
    assert place == Place(there, NOW + timedelta(seconds=1))
    (place,) = lanes.patience.places([draft], 1, there.timestamp(), arrived)
    assert place == Place(there, NOW + timedelta(seconds=1))
    future = Draft(draft.event, "key", "contact:1", datetime.max.replace(tzinfo=UTC))
    (place,) = lanes.patience.places([future], 1, there.timestamp(), arrived)
    assert place.settled_at == arrived + timedelta(seconds=1)
    (place,) = lanes.patience.places([draft], 9, None, arrived)
    assert place == Place(there, arrived + timedelta(seconds=1)), "without a header"


def test_what_the_version_before_has_stored_keeps_the_order_of_arrival(lanes, crm):
    lanes.arrive([lanes.say(2, 0.1), lanes.say(1, 0.0)])
    in_transaction(
        lambda session: session.execute(
            update(Event).values(ordered_at=None, settled_at=None, message_id=None)
        )
    )
    lanes.work_until()
    assert messages(crm) == ["2", "1"]


def submit(world, seconds: float) -> datetime:
    """One message that is delivered when so many seconds are over; answers that moment."""
    lanes = Lanes(world)
    world.clock.go_on()
    now = SystemClock().now()
    draft = lanes.say(1, (now - NOW).total_seconds() + seconds)
    submission = Submission(
        world.account.id,
        world.source.id,
        [draft],
        {},
        None,
        now,
        [Place(draft.moment, now + timedelta(seconds=seconds))],
    )
    registry = services.of(world.app).registry
    accepted = in_transaction(lambda session: accept(session, [submission], registry))
    world.ready.push(accepted.ready)
    return draft.moment


def test_a_waiting_lane_holds_no_worker_and_is_not_forgotten(world):
    submit(world, 9)  # more would be taken for the work of a clock that was ahead
    assert world.ready.take() is None
    services.of(world.app).redis.flushall()
    assert world.sweeper.sweep() == 1, "what Redis has lost is in the database"
    assert world.ready.has_takeable()
    lane = world.ready.take_or_wait("test-worker")
    assert isinstance(lane, Soon)
    assert 0 < lane.seconds <= 9


def test_a_waiting_lane_is_taken_at_its_time(world):
    moment = submit(world, 0.3)
    while isinstance(lane := world.ready.take_or_wait("test-worker"), Soon):
        assert 0 < lane.seconds <= 0.3
        time.sleep(lane.seconds)
    assert SystemClock().now() >= moment
    assert world.drain.drain(lane) == 1
    with reading() as session:
        assert session.scalars(select(Delivery.state)).one() == "done"
