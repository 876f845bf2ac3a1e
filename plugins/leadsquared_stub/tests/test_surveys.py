"""Answers to surveys, and quotations: what transcripts show of them, by setting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_leadsquared import plugin

from hub.sdk import Contact, Done, Event, KeepBack, Sender, Skip
from hub.sdk.settings import completed
from hub.sdk.testing.simulator import Fault


def answered(
    world: Any, rating: int = 4, remark: str = "", *, status: str = "resolved", minute: int = 40
) -> Event:
    """The survey, which Chatwoot sends once more when the customer answers it."""
    said = {"csat_survey_response": {"rating": rating, "feedback_message": remark}}
    event: Event = world.events.message(
        9,
        "Please rate the conversation",
        minute,
        updated=True,
        direction="template",
        sender=Sender(kind="system"),
        content_type="input_csat",
        attributes={"submitted_values": said},
    )
    assert event.conversation is not None
    return replace(event, conversation=replace(event.conversation, status=status))


def said(world: Any) -> list[list[str]]:
    return [
        [part.partition("] ")[2] for part in note.split("\n\n")[1:]][::-1] for note in world.notes()
    ]


def test_an_answer_after_the_end_makes_one_more_transcript(world: Any) -> None:
    world.done(world.events.message(1, "hello"))
    world.done(world.events.resolved())
    done = world.done(answered(world, 4, "good,\nbut slow"))
    assert "transcript with 1 messages" in done.sentence
    assert world.calls == ["Create"]
    rated = "Ann Lindqvist: Rating: ★★★★☆ (4 of 5)\ngood,\nbut slow"
    assert said(world) == [["Ann Lindqvist: hello"], [rated]]
    assert world.simulator.activities()[-1]["CreatedOn"] == "2026-07-14 10:40:00"
    skip = world.fails(answered(world, 4, "good,\nbut slow"), Skip)
    assert skip.sentence == "The message is in a transcript already."
    assert len(world.notes()) == 2


def test_another_answer_to_the_same_survey_is_told_too(world: Any) -> None:
    world.done(world.events.resolved())
    world.done(answered(world, 2))
    world.done(answered(world, 2, "too slow", minute=41))
    assert said(world)[1:] == [
        ["Ann Lindqvist: Rating: ★★☆☆☆ (2 of 5)"],
        ["Ann Lindqvist: Rating: ★★☆☆☆ (2 of 5)\ntoo slow"],
    ]


def test_in_a_conversation_that_goes_on_it_waits_for_the_end(world: Any) -> None:
    world.done(answered(world, 2, status="open"))
    assert world.calls == []
    world.done(answered(world, 5, status="open", minute=41))
    world.done(world.events.message(42, "thanks"))
    world.done(world.events.resolved(minute=50))
    assert said(world) == [["Ann Lindqvist: Rating: ★★★★★ (5 of 5)", "Ann Lindqvist: thanks"]]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_try_that_was_cut_off_tells_it_once(world: Any, kind: Any) -> None:
    world.done(world.events.resolved())
    world.simulator.add_fault(Fault(kind, path="ProspectActivity.svc/Create"))
    event = answered(world)
    world.deliver(event)
    world.done(event)
    assert isinstance(world.deliver(event), Skip)
    assert len(world.notes()) == 2


def test_who_is_not_known_yet_is_waited_for(world: Any, ann: Contact) -> None:
    event = replace(answered(world), contact=Contact(ann.id, "billowing-night-17"))
    world.fails(event, KeepBack)
    world.done(replace(event, contact=ann))
    assert said(world) == [["Ann Lindqvist: Rating: ★★★★☆ (4 of 5)"]]


@pytest.mark.parametrize("switch", ["survey_answers", "enable_transcript_activity"])
def test_it_can_be_switched_off(world: Any, switch: str) -> None:
    world.settings[switch] = False
    world.fails(answered(world), Skip)
    assert world.simulator.activities() == []


def test_a_survey_without_an_answer_is_none(world: Any) -> None:
    world.fails(answered(world, 0), Skip)
    assert world.simulator.activities() == []


MAIL = "Yes, please.\n\nOn Mon, 13 Jul 2026 at 09:00, Bo <bo@acme.example> wrote:\n> Shall we?"


@pytest.mark.parametrize(
    ("setting", "shown"),
    [("cut", ["Yes, please."]), ("source", [MAIL]), ("whole", [MAIL])],
)
def test_quotations_are_as_the_setting_says(world: Any, setting: str, shown: list[str]) -> None:
    world.settings["mail_quotations"] = setting
    attributes = {"email": {"subject": "Re: Parcel", "in_reply_to": "<1@acme.example>"}}
    mail = {"content_type": "incoming_email", "attributes": attributes}
    world.done(world.events.message(1, "Hello"))
    assert isinstance(world.deliver(world.events.message(2, MAIL, **mail)), Done)
    world.done(world.events.resolved())
    lines = ["Hello", *(text.replace("\n\n", "\n") for text in shown)]
    assert said(world) == [[f"Ann Lindqvist: {text}" for text in lines]]


def test_stored_connections_go_on_as_before() -> None:
    required = {"access_key": "a", "secret_key": "b"}
    new, stored = plugin.settings().load(required), completed(plugin.settings, required)
    assert (new["survey_answers"], stored["survey_answers"]) == (True, False)
    assert (new["mail_quotations"], stored["mail_quotations"]) == ("cut", "source")
