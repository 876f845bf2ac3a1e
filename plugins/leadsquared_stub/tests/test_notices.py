"""What is not proven of a person is told in LeadSquared, once, and before anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Contact, Event, Rejected, Remote
from hub.sdk.testing.simulator import Fault

BOSS = "boss@corp.example"
NUMBER, STORED = "+4915112345678", "+49-15112345678"
VISITOR = Contact("7", "Ann Lindqvist", BOSS)
TYPED = f"Address typed on the website, not proven: {BOSS}."


def started(world: Any) -> list[str]:
    return world.notes("Chatwoot Conversation Started")


def beginning(note: str) -> list[str]:
    """The lines before the title."""
    lines = note.split("\n")
    title = next(n for n, line in enumerate(lines) if line.endswith("conversation in Chatwoot"))
    return lines[:title]


def by(event: Event, channel: str) -> Event:
    assert event.conversation is not None
    return replace(event, conversation=replace(event.conversation, channel=channel))


@pytest.fixture
def boss(world: Any) -> str:
    lead: str = world.simulator.add_lead(
        EmailAddress=BOSS, FirstName="Ann", LastName="Lindqvist", Mobile=STORED
    )
    return lead


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("Channel::WebWidget", TYPED),
        ("Channel::Email", f"Address of a mail’s sender, not proven: {BOSS}."),
        ("Channel::Telegram", f"Address given by the customer, not proven: {BOSS}."),
    ],
)
def test_how_the_lead_was_found_stands_first(
    world: Any, boss: str, channel: str, told: str
) -> None:
    world.done(by(world.events.conversation_created(VISITOR), channel))
    (note,) = started(world)
    assert note.startswith(f"{told}\nNew conversation in Chatwoot\n")


@pytest.mark.parametrize(
    ("channel", "proven", "told"),
    [
        ("Channel::WebWidget", (), [f"Number typed on the website, not proven: {STORED}."]),
        ("Channel::Sms", (), [f"Number given by the customer, not proven: {STORED}."]),
        ("Channel::Whatsapp", ("phone",), []),
    ],
)
def test_a_number_is_proven_by_writing_from_it(
    world: Any, boss: str, channel: str, proven: tuple[str, ...], told: list[str]
) -> None:
    contact = Contact("7", "Ann Lindqvist", phone=NUMBER, proven=frozenset(proven))
    world.done(by(world.events.conversation_created(contact), channel))
    (note,) = started(world)
    assert beginning(note) == told


def test_what_was_not_taken_over_is_told_by_the_next_activity(world: Any, boss: str) -> None:
    world.done(world.events.conversation_created(replace(VISITOR, name="Mal Ice")))
    moved = replace(VISITOR, name="Mal Ice", email="m@evil.example", phone="+4915199999999")
    world.done(world.events.contact_updated(moved, "email", "phone_number"))
    world.done(world.events.resolved(moved))
    (first,), (second,) = started(world), world.notes()
    name = "The contact gave another name, not proven: Mal Ice."
    assert beginning(first) == [TYPED, name]
    assert beginning(second) == [
        "The contact gave another address, not proven: m@evil.example.",
        "The contact gave another number, not proven: +49-15199999999.",
    ]


def test_of_the_hubs_own_lead_only_that_is_told(world: Any, ann: Contact) -> None:
    world.done(world.events.conversation_created(ann))
    moved = replace(ann, name="Ann New", email="m@evil.example")
    world.done(world.events.contact_updated(moved, "name", "email"))
    world.done(world.events.resolved(moved))
    (first,), (second,) = started(world), world.notes()
    assert beginning(first) == []
    assert beginning(second) == ["The contact gave another address, not proven: m@evil.example."]


def test_a_number_that_is_proven_and_not_taken_is_called_so(world: Any, boss: str) -> None:
    shown = replace(VISITOR, phone="+4915199999999", proven=frozenset({"phone"}))
    world.done(world.events.conversation_created(shown))
    (note,) = started(world)
    assert beginning(note)[1:] == ["The contact writes from another number: +49-15199999999."]


def test_without_the_first_activity_the_transcripts_tell_it_once(world: Any, boss: str) -> None:
    world.settings["enable_conversation_activity"] = False
    world.done(world.events.message(1, "hello"))
    world.done(world.events.resolved(VISITOR))
    world.done(world.events.message(40, "again"))
    world.done(world.events.resolved(VISITOR, minute=50))
    assert [beginning(note) for note in world.notes()] == [[TYPED], []]
    world.done(world.events.resolved(VISITOR, number="43"))
    assert beginning(world.notes()[2]) == [TYPED]


def test_what_a_refused_transcript_would_have_told_the_next_one_tells(
    world: Any, boss: str
) -> None:
    world.settings["enable_conversation_activity"] = False
    bad = '{"Status":"Error","ExceptionType":"MXInvalidInputException"}'
    world.simulator.add_fault(Fault("garbage", path="ProspectActivity.svc/Create", body=bad))
    assert isinstance(world.deliver(world.events.resolved(VISITOR)), Rejected)
    world.done(world.events.resolved(VISITOR))
    assert [beginning(note) for note in world.notes()] == [[TYPED]]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_try_that_was_cut_off_tells_it_once(world: Any, boss: str, kind: Any) -> None:
    world.settings["enable_conversation_activity"] = False
    world.simulator.add_fault(Fault(kind, path="ProspectActivity.svc/Create"))
    world.deliver(world.events.resolved(VISITOR))
    world.done(world.events.resolved(VISITOR))
    world.done(world.events.message(40, "again"))
    world.done(world.events.resolved(VISITOR, minute=50))
    assert [beginning(note) for note in world.notes()] == [[TYPED], []]


def test_a_long_name_leaves_room_for_the_messages(world: Any, boss: str) -> None:
    world.settings["enable_conversation_activity"] = False
    long = replace(VISITOR, name="x" * 190 + " " + "y" * 190, phone="+4915199999999")
    for number in range(1, 9):
        world.done(world.events.message(number, f"{number} " + "z" * 300))
    world.done(world.events.resolved(long))
    (note,) = world.notes()
    assert len(note) <= 2_000
    assert "] Ann Lindqvist: 8 z" in note
    assert len(max(beginning(note), key=len)) < 160


def test_it_is_said_in_the_language_of_the_activities(world: Any, boss: str) -> None:
    world.settings["language"] = "fr"
    world.done(world.events.conversation_created(VISITOR))
    (note,) = started(world)
    assert note.startswith(f"Adresse saisie sur le site web, non prouvée : {BOSS}.\n")


@pytest.mark.parametrize("by_email", [True, False])
def test_links_of_before_tell_how_their_leads_were_found(world: Any, by_email: bool) -> None:
    lead = world.simulator.add_lead(EmailAddress=BOSS if by_email else "", Mobile=STORED)
    values = {"FirstName": "Ann", "LastName": "Lindqvist", "EmailAddress": BOSS, "Mobile": STORED}
    held = values if by_email else {**values, "EmailAddress": ""}
    links = world.context().links
    links.adopt("lead", "1/7", Remote(lead, data={"sent": values, "held": held, "made": False}))
    links.flush()
    world.done(world.events.conversation_created(replace(VISITOR, phone=NUMBER)))
    (note,) = started(world)
    number = f"Number typed on the website, not proven: {STORED}."
    assert beginning(note)[0] == (TYPED if by_email else number)
