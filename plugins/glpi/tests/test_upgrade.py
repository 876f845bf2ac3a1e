"""What version 1 of this plugin left in links and in GLPI is known again, and neither doubled nor
written over. Digests and texts are those that version 1 has made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_glpi.mappers.digest import digest
from hub_glpi.mappers.text import fingerprint

from hub.sdk import Attachment, Intent, Message, Remote, Sender, Skip

NOTES = {"9": "stored as document 6"}
CUSTOMER = Message(
    "1",
    "incoming",
    "  see https://acme.example/?a=1&b=%20x\n\tand <b>",
    sender=Sender("contact", "17", "Ann Lee"),
)
NOTE = Message(
    "2",
    "outgoing",
    "Ask [@Ada Admin](mention://user/1/Ada%20Admin):\n\n1. first\n2. https://acme.example/a%20b",
    private=True,
    sender=Sender("user", "5", "Bob Agent"),
    attachments=(Attachment("file", "9", "https://c.example/a.pdf", "a.pdf", size=12345),),
)
PLACE = Message(
    "3",
    attachments=(Attachment("location", "10", latitude=40.4168, longitude=-3.703, title="Casa"),),
)
FORM = Message(
    "4",
    "template",
    "Your order?",
    attributes={"submitted_values": [{"title": "Order", "value": "<7>"}]},
)
PHONE = Message("5", "outgoing", "1. *so*", from_phone=True)
MAIL = Message(
    "6", text="please handle", whole_text="please handle\n\n---- Forwarded message ----\nFrom: x"
)
NOTE_TEXT = (
    "<p><strong>Bob Agent · 2026-07-15 01:30</strong></p><p>Ask "
    '<a href="mention://user/1/Ada%20Admin">@Ada Admin</a>:</p><ol><li>first</li>'
    "<li>https://acme.example/a%20b</li></ol><ul>"
    '<li><a href="https://c.example/a.pdf">a.pdf</a> (12 KB) (stored as document 6)</li></ul>'
)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (CUSTOMER, "d1c97900b44ccc2d0aa7471a1cff4e35"),
        (NOTE, "048d2595f9d3c92a36817927ae0c6d5a"),
        (PLACE, "e01702fb2c730147d24d733f8f6eb698"),
        (FORM, "ba47f956b630a6d5081e8ac46c63b956"),
        (PHONE, "a1d9890884c1b4b960c279cfe7554a90"),
        (MAIL, "3da992a6a2eec1066a4a7881f1f23361"),
    ],
)
def test_digests_are_those_of_version_1(message: Message, kept: str) -> None:
    assert digest(message, "en", NOTES) == kept
    assert digest(replace(message, deleted=True), "en", NOTES) == "deleted"


@pytest.fixture
def parts(chatwoot: Any, hub: Any) -> dict[str, Any]:
    """A conversation whose ticket has a text."""
    parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
    first = chatwoot.message("My printer burns.", id="1001")
    hub.done(chatwoot.event("message.created", message=first, **parts))
    return parts


def ticket_of(see: Any, chatwoot: Any) -> int:
    (ticket,) = see.tickets_containing(chatwoot.mark)
    return int(ticket)


def add_followup(see: Any, chatwoot: Any) -> int:
    """The note as a followup that version 1 made."""
    values = {
        "input": {
            "itemtype": "Ticket",
            "items_id": ticket_of(see, chatwoot),
            "content": NOTE_TEXT,
            "is_private": 1,
            "date": "2026-07-15 01:30:00",
        }
    }
    return int(see.call("POST", "ITILFollowup", json=values)["id"])


@pytest.fixture
def followup(chatwoot: Any, hub: Any, see: Any, parts: Any) -> int:
    """The number of such a followup, with the link that version 1 has kept of it."""
    number = add_followup(see, chatwoot)
    data = {"body": "048d2595f9d3c92a36817927ae0c6d5a", "notes": NOTES}
    links = hub.worker().links
    links.adopt("followup", "3/2", Remote(str(number), data=data))
    links.flush()
    return number


def test_a_message_that_has_not_changed_is_left_as_it_stands(
    chatwoot: Any, hub: Any, see: Any, parts: Any, followup: int
) -> None:
    see.change(f"ITILFollowup/{followup}", content="<p>edited by a technician</p>")
    outcome = hub.refused(chatwoot.event("message.updated", message=NOTE, **parts))
    assert isinstance(outcome, Skip)
    assert hub.requests == []


def test_an_edited_message_changes_the_followup_that_is_there(
    chatwoot: Any, hub: Any, see: Any, parts: Any, followup: int
) -> None:
    edited = replace(NOTE, text="Ask [@Ada Admin](mention://user/1/Ada%20Admin) now")
    hub.done(chatwoot.event("message.updated", message=edited, **parts))
    (there,) = see.followups(ticket_of(see, chatwoot))
    assert there["id"] == followup
    assert "<p>Ask <strong>@Ada Admin</strong> now</p>" in there["content"]
    assert "<strong>Bob Agent" in there["content"]
    hub.refused(chatwoot.event("message.updated", message=edited, **parts))
    assert hub.requests == []


def test_a_message_heard_again_is_not_added_again(
    chatwoot: Any, hub: Any, see: Any, parts: Any, followup: int
) -> None:
    hub.done(chatwoot.event("message.created", message=NOTE, **parts))
    assert [item["id"] for item in see.followups(ticket_of(see, chatwoot))] == [followup]


def test_a_followup_whose_creation_was_cut_off_before_the_upgrade(
    chatwoot: Any, hub: Any, see: Any, parts: Any
) -> None:
    number = add_followup(see, chatwoot)
    key = f"2026-07-15 01:30:00||{fingerprint(NOTE_TEXT)}"
    intent = Intent("followup", "3/2", key, datetime.now(UTC) - timedelta(minutes=1))
    hub.store.links.intents["followup", "3/2"] = intent
    hub.done(chatwoot.event("message.created", message=NOTE, **parts))
    assert [item["id"] for item in see.followups(ticket_of(see, chatwoot))] == [number]
    hub.refused(chatwoot.event("message.updated", message=NOTE, **parts))
    assert hub.requests == []


class TestTicketText:
    """The text that version 1 made of a message which is shown in another way today."""

    @pytest.fixture
    def old_text(self, chatwoot: Any, hub: Any, see: Any, parts: Any) -> str:
        ticket = ticket_of(see, chatwoot)
        kept = hub.store.links.links["ticket", "3/1201"]
        way_back = see.call("GET", f"Ticket/{ticket}")["content"].partition("</p>")[2]
        text = f"<p>A question of old</p>{way_back}"
        see.change(f"Ticket/{ticket}", content=text)
        data = {**kept.data, "body": fingerprint("A question of old"), "text": fingerprint(text)}
        links = hub.worker().links
        links.update(kept, data=data)
        links.flush()
        return text

    def test_is_rewritten_when_its_message_is_edited(
        self, chatwoot: Any, hub: Any, see: Any, parts: Any, old_text: str
    ) -> None:
        edited = replace(CUSTOMER, id="1001", text="new  words")
        hub.done(chatwoot.event("message.updated", message=edited, **parts))
        content = see.call("GET", f"Ticket/{ticket_of(see, chatwoot)}")["content"]
        assert content == old_text.replace("A question of old", "new\xa0 words")

    def test_is_left_when_a_technician_has_edited_it(
        self, chatwoot: Any, hub: Any, see: Any, parts: Any, old_text: str
    ) -> None:
        ticket = ticket_of(see, chatwoot)
        theirs = old_text.replace("of old", "of mine")
        see.change(f"Ticket/{ticket}", content=theirs)
        edited = replace(CUSTOMER, id="1001", text="new words")
        hub.refused(chatwoot.event("message.updated", message=edited, **parts))
        assert see.call("GET", f"Ticket/{ticket}")["content"] == theirs

    def test_of_a_try_that_was_cut_off_is_known_again(
        self, chatwoot: Any, hub: Any, see: Any, parts: Any
    ) -> None:
        """Version 1 had written the text and died before it noted so: no followup is added."""
        ticket = ticket_of(see, chatwoot)
        shown_anew = replace(MAIL, id="1001", sender=CUSTOMER.sender)
        content = see.call("GET", f"Ticket/{ticket}")["content"]
        see.change(
            f"Ticket/{ticket}", content=content.replace("My printer burns.", "please handle")
        )
        link = hub.store.links.links["ticket", "3/1201"]
        links = hub.worker().links
        links.update(link, data={**link.data, "first_message": None})
        links.flush()
        hub.done(chatwoot.event("message.created", message=shown_anew, **parts))
        assert see.followups(ticket) == []
