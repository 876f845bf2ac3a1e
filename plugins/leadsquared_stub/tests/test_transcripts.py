"""Transcripts: what they show, when they are posted, and that they are posted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.sdk import (
    Attachment,
    Contact,
    Done,
    KeepBack,
    NeedsAttention,
    Postpone,
    Rejected,
    Sender,
    Skip,
)
from hub.sdk.testing.simulator import Fault


def lines_of(note: str) -> list[str]:
    """What was said, oldest first."""
    return [part.partition("] ")[2] for part in note.split("\n\n")[1:]][::-1]


def said(world: Any) -> list[list[str]]:
    return [lines_of(note) for note in world.notes()]


def hear(world: Any, *numbers: int) -> None:
    for number in numbers:
        world.done(world.events.message(number, f"text {number}"))


class TestWhen:
    def test_the_same_end_told_twice_is_one_transcript(self, world: Any) -> None:
        hear(world, 1, 2)
        world.done(world.events.resolved())
        skip = world.fails(world.events.resolved(), Skip)
        assert skip.sentence == "Nothing was said since the last transcript."
        assert world.calls == []
        assert len(world.notes()) == 1

    def test_a_second_end_sends_only_what_is_new(self, world: Any) -> None:
        hear(world, 1, 2)
        world.done(world.events.resolved())
        hear(world, 40)
        done = world.done(world.events.resolved(minute=50))
        assert "with 1 messages" in done.sentence
        assert said(world) == [
            ["Ann Lindqvist: text 1", "Ann Lindqvist: text 2"],
            ["Ann Lindqvist: text 40"],
        ]

    def test_messages_that_come_twice_are_shown_once(self, world: Any) -> None:
        hear(world, 1, 1)
        world.done(world.events.resolved())
        world.fails(world.events.message(1, "text 1"), Skip)
        world.fails(world.events.resolved(minute=40), Skip)
        assert said(world) == [["Ann Lindqvist: text 1"]]

    def test_an_end_without_messages_says_so_once(self, world: Any) -> None:
        world.done(world.events.resolved())
        world.fails(world.events.resolved(), Skip)
        (note,) = world.notes()
        assert note.endswith("No messages in the conversation")

    def test_a_conversation_that_is_open_again_waits(self, world: Any) -> None:
        hear(world, 1)
        world.fails(world.events.resolved(status="open"), Skip)
        assert world.notes() == []

    def test_the_end_waits_for_messages_that_it_overtook(self, world: Any) -> None:
        hear(world, 1)
        late, after = world.events.message(2, "bye"), world.events.message(31, "me again")
        elsewhere = world.events.message(4, "in another conversation")
        other = replace(elsewhere, conversation=replace(late.conversation, id="43"))
        end = replace(world.events.resolved(), received_at=world.clock.now())
        postpone = world.fails(end, Postpone)
        assert postpone.delay == 3.0
        world.clock.sleep(3)
        private = world.events.message(3, "secret", private=True)
        world.done(end, waiting=[late, after, other, private])
        assert said(world) == [["Ann Lindqvist: text 1", "Ann Lindqvist: bye"]]
        # The one that was overtaken is not shown again; the one after the end is.
        world.fails(late, Skip)
        world.done(after)
        world.done(world.events.resolved(minute=40))
        assert said(world)[1] == ["Ann Lindqvist: me again"]

    def test_switched_off_it_costs_nothing(self, world: Any) -> None:
        world.settings["enable_transcript_activity"] = False
        world.fails(world.events.message(1, "x"), Skip)
        world.fails(world.events.resolved(), Skip)
        assert world.calls == []
        assert world.store.links.links == {}
        assert [key.partition("/")[0] for key in world.store.state.entries] == ["inbox"]

    def test_who_cannot_be_recognised_gets_none(self, world: Any) -> None:
        event = world.events.resolved(Contact(id="9", name="x"))
        assert world.fails(event, KeepBack).days == 30
        world.settings["unknown_people"] = "nothing"
        world.fails(event, Skip)
        assert world.simulator.activities() == []

    def test_it_makes_the_lead_if_it_is_the_first_event(self, world: Any) -> None:
        world.done(world.events.resolved())
        assert world.simulator.leads()[0]["EmailAddress"] == "ann@example.com"
        assert world.calls[-2:] == ["Lead.Create", "Create"]


class TestWhat:
    def test_notes_templates_and_deleted_messages_are_left_out(self, world: Any) -> None:
        events = world.events
        world.fails(events.message(1, "psst", private=True, direction="outgoing"), Skip)
        world.fails(events.message(2, "Welcome!", direction="template"), Skip)
        world.fails(events.message(3, "gone", deleted=True), Skip)
        hear(world, 4)
        world.done(events.resolved())
        assert said(world) == [["Ann Lindqvist: text 4"]]

    def test_a_message_deleted_or_edited_in_time_is_shown_so(self, world: Any) -> None:
        hear(world, 1, 2)
        world.done(world.events.message(1, "", updated=True, deleted=True))
        world.done(world.events.message(2, "better", updated=True))
        world.fails(world.events.message(2, "better", updated=True), Skip)
        world.fails(world.events.message(9, "never seen", updated=True), Skip)
        world.done(world.events.resolved())
        world.fails(world.events.message(2, "too late", updated=True), Skip)
        assert said(world) == [["Ann Lindqvist: better"]]
        assert world.calls == []

    def test_attachments_are_named(self, world: Any) -> None:
        files = (Attachment(kind="image"), Attachment(kind="file"))
        world.done(world.events.message(1, "see", attachments=files))
        world.done(world.events.message(2, "", attachments=files[:1]))
        world.done(world.events.resolved())
        assert said(world) == [
            [
                "Ann Lindqvist: see\n[Attachment: image], [Attachment: file]",
                "Ann Lindqvist: [Attachment: image]",
            ]
        ]

    def test_a_place_and_a_contact_card_are_told_in_words(self, world: Any) -> None:
        place = Attachment(kind="location", title="Plaza 1", latitude=40.4168, longitude=-3.7038)
        nameless = Attachment(kind="location", latitude=52.52, longitude=13.405)
        card = Attachment(kind="contact", title="Tom Telegraph +49 170 1234567")
        bare = Attachment(kind="location")
        world.done(world.events.message(1, "here", attachments=(place, Attachment(kind="image"))))
        world.done(world.events.message(2, "", attachments=(nameless, card, bare)))
        world.done(world.events.resolved())
        (shown,) = said(world)
        assert [text.split("\n") for text in shown] == [
            [
                "Ann Lindqvist: here",
                "Location: Plaza 1 (40.416800, -3.703800)",
                "[Attachment: image]",
            ],
            [
                "Ann Lindqvist: Location: (52.520000, 13.405000)",
                "Contact card: Tom Telegraph +49 170 1234567",
                "[Attachment: location]",
            ],
        ]

    def test_the_newest_that_fits_is_shown(self, world: Any) -> None:
        for number in range(1, 31):
            world.done(world.events.message(number, f"{number} " + "x" * 300))
        world.done(world.events.resolved())
        (note,) = world.notes()
        assert len(note) <= 2_000
        assert note.index("] Ann Lindqvist: 30 x") < note.index("] Ann Lindqvist: 29 x")
        assert "Earlier messages left out: 24" in note

    def test_a_long_last_message_is_cut_and_ends_nothing(self, world: Any) -> None:
        hear(world, 1, 2)
        world.done(world.events.message(3, "y" * 5_000))
        world.done(world.events.resolved())
        (shown,) = said(world)
        assert shown[:2] == ["Ann Lindqvist: text 1", "Ann Lindqvist: text 2"]
        assert shown[2].endswith("y…")

    def test_the_language_is_the_settings(self, world: Any) -> None:
        world.settings["language"] = "fr"
        world.done(world.events.resolved())
        assert "Aucun message" in world.notes()[0]

    def test_a_zone_that_is_not_known_is_utc(self, world: Any) -> None:
        world.learned["timezone"] = "(GMT+05:30) Somewhere"
        hear(world, 1)
        world.done(world.events.resolved())
        assert "Times: UTC" in world.notes()[0]
        assert "[2026-07-14 10:01]" in world.notes()[0]


class TestTrouble:
    def test_a_refused_note_does_not_stand_before_the_next(self, world: Any) -> None:
        hear(world, 1)
        bad = '{"Status":"Error","ExceptionType":"MXInvalidInputException"}'
        world.simulator.add_fault(Fault("garbage", path="ProspectActivity.svc/Create", body=bad))
        assert isinstance(world.deliver(world.events.resolved()), Rejected)
        hear(world, 40)
        world.done(world.events.resolved(minute=50))
        assert said(world) == [["Ann Lindqvist: text 1", "Ann Lindqvist: text 40"]]

    @pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
    def test_a_try_that_was_given_up_is_completed_by_the_next_end(
        self, world: Any, kind: Any
    ) -> None:
        hear(world, 1)
        world.simulator.add_fault(Fault(kind, path="ProspectActivity.svc/Create"))
        world.deliver(world.events.resolved())
        # That delivery is set aside by a person; the conversation goes on in other settings.
        world.settings["language"] = "es"
        hear(world, 40)
        world.done(world.events.resolved(minute=50))
        assert said(world) == [["Ann Lindqvist: text 1"], ["Ann Lindqvist: text 40"]]

    def test_the_given_up_one_alone_is_a_success(self, world: Any) -> None:
        hear(world, 1)
        world.simulator.add_fault(Fault("drop_before", path="ProspectActivity.svc/Create"))
        world.deliver(world.events.resolved())
        assert isinstance(world.deliver(world.events.resolved()), Done)
        assert len(world.notes()) == 1

    def test_equal_notes_of_two_ends_are_two_activities(self, world: Any) -> None:
        """The check before a retry must not take the first one for the second."""
        for number in (1, 2):
            world.done(world.events.message(number, "same", minute=1))
            if number == 2:
                world.simulator.add_fault(Fault("drop_before", path="ProspectActivity.svc/Create"))
                world.deliver(world.events.resolved())
            world.done(world.events.resolved())
        first, second = world.notes()
        assert first == second

    def test_an_open_intent_waits_until_the_server_is_surely_done(self, world: Any) -> None:
        hear(world, 1)
        end = world.events.resolved()
        world.simulator.add_fault(Fault("drop_before", path="ProspectActivity.svc/Create"))
        world.deliver(end, settle=30.0)
        assert isinstance(world.deliver(end, settle=30.0), Postpone)
        world.clock.sleep(31)
        assert isinstance(world.deliver(end, settle=30.0), Done)
        assert len(world.notes()) == 1

    def test_without_a_code_the_hook_needs_its_setup(self, world: Any) -> None:
        world.learned["transcript_activity_code"] = None
        error = world.fails(world.events.resolved(), NeedsAttention)
        assert "run the setup" in error.sentence
        assert error.field == "enable_transcript_activity"

    def test_a_type_that_was_deleted_is_told_as_such(self, world: Any) -> None:
        world.simulator.delete_activity_type("Chatwoot Conversation Transcript")
        error = world.fails(world.events.resolved(), NeedsAttention)
        assert "no longer knows the activity type" in error.sentence
        world.set_up()
        world.done(world.events.resolved())
        assert len(world.notes()) == 1


def test_a_transcript_tells_what_was_forwarded_and_what_came_from_the_phone(world: Any) -> None:
    whole = (
        "please handle\n\n---------- Forwarded message ---------\nFrom: Client\n\nI want to cancel."
    )
    mail = {"content_type": "incoming_email", "attributes": {"email": {"subject": "Fwd: x"}}}
    world.done(world.events.message(1, "please handle", whole_text=whole, **mail))
    phone = {"direction": "outgoing", "from_phone": True, "sender": Sender(kind="system")}
    world.done(world.events.message(2, "Done.", **phone))
    world.done(world.events.resolved())
    (note,) = world.notes()
    assert "I want to cancel." in note
    assert "] From the phone: Done." in note


SIGNED = "Please call me.\n\n-- \nAnn Lindqvist\n+46 70 123 45 67"
ANSWER = {
    "content_type": "incoming_email",
    "attributes": {"email": {"subject": "Re: Offer", "in_reply_to": "<1@acme.example>"}},
    "whole_text": SIGNED,
}


def test_the_mail_that_opens_a_conversation_keeps_its_signature(world: Any) -> None:
    """It may have the customer's number."""
    world.done(world.events.message(1, "Please call me.", **ANSWER))
    world.fails(world.events.message(1, "Please call me.", updated=True, **ANSWER), Skip)
    world.done(world.events.message(2, "Please call me.", **ANSWER))
    world.done(world.events.resolved())
    world.done(world.events.message(40, "Please call me.", **ANSWER))
    world.done(world.events.resolved(minute=50))
    ((first, second), (third,)) = said(world)
    assert first.endswith("+46 70 123 45 67")
    assert second == third == "Ann Lindqvist: Please call me."


def test_files_that_the_source_does_not_tell_of_are_counted(world: Any) -> None:
    world.done(world.events.message(1, "see", missing_files=2))
    world.done(world.events.resolved())
    assert said(world) == [
        ["Ann Lindqvist: see\nFiles of this mail that are only in the mailbox: 2"]
    ]


def test_messages_of_one_conversation_are_kept_together(world: Any) -> None:
    batch = [
        world.events.message(1, "one"),
        world.events.message(2, "note", private=True),
        world.events.message(3, "three"),
    ]
    context = world.context()
    outcomes = context.deliver_batch(batch)
    assert [type(outcome) for outcome in outcomes] == [Done, Skip, Done]
    assert context.boundaries == ["before commit", "after commit"]
    world.done(replace(world.events.resolved(), occurred_at=batch[2].occurred_at + timedelta(1)))
    assert said(world) == [["Ann Lindqvist: one", "Ann Lindqvist: three"]]


def test_an_event_without_its_part_is_skipped(world: Any) -> None:
    bare = world.events.message(1, "x")
    world.fails(replace(bare, message=None), Skip)
    world.fails(replace(bare, conversation=None), Skip)
