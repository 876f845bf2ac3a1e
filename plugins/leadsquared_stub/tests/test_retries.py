"""A worker may die anywhere, and any call may fail in any way: the end is always the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Contact, Done, Event, KeepBack, RetryLater, Skip
from hub.sdk.testing.context import Crash
from hub.sdk.testing.simulator import Fault

Story = Callable[[Any, Contact], list[Event]]


def from_the_first_hello(world: Any, ann: Contact) -> list[Event]:
    events = world.events
    return [
        events.contact_created(ann),
        events.conversation_created(ann),
        events.message(1, "hello"),
        events.contact_updated(replace(ann, name="Ann Lee"), "name", version=5_000),
        events.resolved(ann),
        events.message(40, "again"),
        events.resolved(ann, minute=50),
    ]


def a_visitor_who_is_known_late(world: Any, ann: Contact) -> list[Event]:
    events, visitor = world.events, Contact(id=ann.id, name="billowing-night-17")
    return [
        events.contact_created(visitor),
        events.conversation_created(visitor),
        events.message(1, "hello"),
        # Once more, with the contact as the next event shows it.
        events.conversation_created(ann),
        events.contact_updated(ann, "email", "name"),
        events.resolved(ann),
    ]


def the_end_comes_first(world: Any, ann: Contact) -> list[Event]:
    events = world.events
    return [events.resolved(ann), events.conversation_created(ann), events.contact_created(ann)]


def only_a_network_knows_the_person(world: Any, ann: Contact) -> list[Event]:
    world.settings["identity_field"] = "mx_Chatwoot_Person"
    world.simulator._leads.unique |= {"mx_Chatwoot_Person"}
    events, tom = world.events, Contact(id="7", name="Tom T", networks={"telegram": "308786162"})
    return [
        events.conversation_created(tom),
        events.contact_updated(replace(tom, name="Tom Telegraph"), "name"),
        events.resolved(tom),
    ]


def the_lead_is_of_others(world: Any, ann: Contact) -> list[Event]:
    """What is not proven is told with the first activity, and more of it with the second."""
    world.simulator.add_lead(EmailAddress=ann.email, LastName="Boss")
    events, moved = world.events, replace(ann, email="m@evil.example")
    return [
        events.conversation_created(ann),
        events.contact_updated(moved, "email"),
        events.resolved(moved),
    ]


STORIES = [
    from_the_first_hello,
    a_visitor_who_is_known_late,
    the_end_comes_first,
    only_a_network_knows_the_person,
    the_lead_is_of_others,
]


def settled(world: Any, event: Event) -> None:
    """Deliver until it is done or kept back, as the hub would."""
    for _ in range(5):
        outcome = world.deliver(event)
        if isinstance(outcome, Done | Skip | KeepBack):
            return
        assert isinstance(outcome, RetryLater), repr(outcome)
    raise AssertionError(f"never done: {outcome!r}")


def outcome_of(world: Any) -> Any:
    """What LeadSquared holds in the end, without what differs between runs."""
    leads = [
        {name: value for name, value in lead.items() if name != "ProspectID"}
        for lead in world.simulator.leads()
    ]
    activities = [
        (row["EventName"], row["CreatedOn"], row["Note"]) for row in world.simulator.activities()
    ]
    return leads, activities


def begin_again(world: Any) -> None:
    world.simulator.reset()
    world.__init__(world.simulator)
    world.set_up()


@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_every_boundary_changes_nothing(world: Any, ann: Contact, story: Story) -> None:
    boundaries = []
    for event in story(world, ann):
        settled(world, event)
        boundaries.append(len(world.last.boundaries))
    expected = outcome_of(world)
    assert sum(boundaries) > 15
    for victim, count in enumerate(boundaries):
        for boundary in range(1, count + 1):
            begin_again(world)
            for number, event in enumerate(story(world, ann)):
                if number == victim:
                    with pytest.raises(Crash):
                        world.deliver(event, crash_at=boundary)
                settled(world, event)
            assert outcome_of(world) == expected, f"event {victim}, boundary {boundary}"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 500, "applied": True},
        {"kind": "throttle"},
        {"kind": "html"},
        {"kind": "html", "applied": True},
        {"kind": "empty"},
        {"kind": "garbage", "applied": True},
        {"kind": "garbage", "body": '{"Status":"Error","ExceptionType":"NullReferenceException"}'},
    ],
    ids=lambda fault: "-".join(str(value)[:12] for value in fault.values()),
)
def test_every_call_may_fail_in_every_way(world: Any, ann: Contact, fault: dict[str, Any]) -> None:
    story = from_the_first_hello
    world.simulator.clear_requests()
    for event in story(world, ann):
        settled(world, event)
    expected = outcome_of(world)
    calls = len(world.simulator.requests())
    assert calls == 7
    for nth in range(1, calls + 1):
        begin_again(world)
        world.simulator.add_fault(Fault(nth=nth, **fault))
        for event in story(world, ann):
            settled(world, event)
        assert world.simulator.faults() == []
        assert outcome_of(world) == expected, f"call {nth}"


@pytest.mark.parametrize("story", STORIES)
def test_everything_twice_changes_nothing(world: Any, ann: Contact, story: Story) -> None:
    for event in story(world, ann):
        settled(world, event)
    expected = outcome_of(world)
    begin_again(world)
    for event in story(world, ann):
        settled(world, event)
        settled(world, event)
    assert outcome_of(world) == expected


def test_a_retry_asks_before_it_posts_again(world: Any) -> None:
    event = world.events.conversation_created()
    world.simulator.add_fault(Fault("drop_after", path="ProspectActivity.svc/Create"))
    assert isinstance(world.deliver(event), RetryLater)
    world.done(event)
    assert world.calls == ["Retrieve"]
    assert len(world.simulator.activities()) == 1


def test_the_search_before_a_retry_goes_through_the_pages(world: Any) -> None:
    event = world.events.conversation_created()
    world.simulator.add_fault(Fault("drop_after", path="ProspectActivity.svc/Create"))
    world.deliver(event)
    rows = world.simulator._activities.rows
    rows.extend({**rows[0], "Id": f"other-{n}", "Note": f"other {n}"} for n in range(60))
    world.done(event)
    assert world.calls == ["Retrieve"] * 3
    assert len(rows) == 61


def test_a_refused_call_leaves_nothing_to_look_for(world: Any) -> None:
    """After 429 the call surely did nothing, so the retry costs no search."""
    world.done(world.events.contact_created())
    event = world.events.conversation_created()
    world.simulator.add_fault(Fault("throttle", path="ProspectActivity.svc/Create"))
    assert world.deliver(event).throttled
    world.done(event)
    assert world.calls == ["Create"]


def slowed_down(world: Any) -> None:
    """The smallest plan: 2 calls in 5 seconds."""
    world.simulator._limit._clock = lambda: world.clock.now().timestamp()
    world.simulator.allow(2)


def patiently(world: Any, event: Event) -> int:
    """Deliver as a hub that waits as long as it is told to; how often it had to."""
    for pauses in range(10):
        outcome = world.deliver(event)
        if not isinstance(outcome, RetryLater):
            return pauses
        assert outcome.throttled
        assert outcome.delay == 5
        world.clock.sleep(outcome.delay)
    raise AssertionError("It never comes to its end.")


@pytest.mark.parametrize("story", STORIES)
def test_the_smallest_plan_is_enough(world: Any, ann: Contact, story: Story) -> None:
    for event in story(world, ann):
        settled(world, event)
    expected = outcome_of(world)
    begin_again(world)
    slowed_down(world)
    pauses = sum(patiently(world, event) for event in story(world, ann))
    assert outcome_of(world) == expected
    assert 0 < pauses <= 4


def test_the_smallest_plan_completes_a_lead_that_exists(world: Any, ann: Contact) -> None:
    world.settings |= {"follow_found": True, "emails_follow": True}
    world.simulator.add_lead(Phone="+49-15112345678")
    slowed_down(world)
    patiently(world, world.events.contact_created(ann))
    (lead,) = world.simulator.leads()
    assert (lead["FirstName"], lead["EmailAddress"]) == ("Ann", "ann@example.com")


def test_the_smallest_plan_takes_a_lead_that_no_search_shows(world: Any, ann: Contact) -> None:
    world.simulator.add_lead(Phone="+49-15112345678", Source="Fair")
    world.simulator._leads.with_phone = lambda _: []
    slowed_down(world)
    pauses = patiently(world, world.events.contact_created(ann))
    (lead,) = world.simulator.leads()
    assert (lead["FirstName"], lead["Source"]) == ("", "Fair")
    assert pauses == 3


def test_a_search_in_vain_is_not_trusted_for_long(world: Any, ann: Contact) -> None:
    event = world.events.contact_created(ann)
    world.simulator.add_fault(Fault("throttle", path="Lead.Create"))
    world.deliver(event)
    world.simulator.add_lead(EmailAddress="ann@example.com", Source="Fair")
    world.clock.sleep(601)
    world.done(event)
    (lead,) = world.simulator.leads()
    assert lead["Source"] == "Fair"


def test_a_search_in_vain_is_good_for_one_creation_only(world: Any) -> None:
    """Where the customer allows doubles, only the search stands before one."""
    world.simulator._leads.unique = frozenset()
    event = world.events.contact_created(Contact(id="1", phone="+4915112345678"))
    for kind in ("throttle", "drop_after"):
        world.simulator.add_fault(Fault(kind, path="Lead.Create"))
        assert isinstance(world.deliver(event), RetryLater)
    world.done(event)
    assert len(world.simulator.leads()) == 1


def test_a_search_in_vain_is_for_the_same_person_only(world: Any, ann: Contact) -> None:
    world.simulator.add_fault(Fault("throttle", path="Lead.Create"))
    world.deliver(world.events.contact_created(ann))
    world.done(world.events.contact_created(replace(ann, email="ann@new.example")))
    assert world.calls[0] == "Leads.GetByEmailaddress"


def test_what_is_empty_in_a_lead_is_filled_after_a_cut(world: Any, ann: Contact) -> None:
    world.settings["follow_found"] = True
    world.simulator.add_lead(EmailAddress="ann@example.com", LastName="Old")
    event = world.events.contact_updated(replace(ann, proven=frozenset({"phone"})), "name")
    world.simulator.add_fault(Fault("drop_before", path="Lead.Update"))
    world.deliver(event)
    world.done(event)
    assert world.calls == ["Lead.Update"]
    (lead,) = world.simulator.leads()
    assert (lead["LastName"], lead["Mobile"]) == ("Lindqvist", "+49-15112345678")
