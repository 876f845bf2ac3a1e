"""What people read in tickets: where a conversation took place, and by what way it came."""

from __future__ import annotations

from typing import Any

import pytest
from hub_glpi import sentences

from hub.sdk import SetupFailed


@pytest.fixture
def ticket(see: Any, chatwoot: Any) -> Any:
    """Reads a ticket of the test, the first unless another is asked for."""

    def read(index: int = 0) -> dict[str, Any]:
        number = see.tickets_containing(chatwoot.mark)[index]
        found: dict[str, Any] = see.call("GET", f"Ticket/{number}")
        return found

    return read


class TestInbox:
    """Its name, which only messages tell, stands in the ticket also when a conversation came
    first."""

    def test_is_named_by_a_message_that_waits(
        self, chatwoot: Any, hub: Any, contact: Any, ticket: Any
    ) -> None:
        said = chatwoot.event(
            "message.created",
            message=chatwoot.message(),
            contact=contact,
            conversation=chatwoot.conversation(inbox_id="5", inbox_name="Website"),
        )
        begun = chatwoot.conversation(inbox_id="5")
        event = chatwoot.event("conversation.created", contact=contact, conversation=begun)
        hub.done(event, waiting=[said])
        assert "Conversation 1201 in Website" in ticket()["content"]

    def test_is_known_to_the_next_conversation(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        for number, inbox, name in (
            ("1201", "5", "Website"),
            ("1202", "5", None),
            ("1203", "6", None),
            ("1204", None, None),
        ):
            talk = chatwoot.conversation(number, inbox_id=inbox, inbox_name=name)
            hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        assert "Conversation 1202 in Website" in ticket(1)["content"]
        assert "Conversation 1203 in Chatwoot" in ticket(2)["content"]
        assert "Conversation 1204 in Chatwoot" in ticket(3)["content"]

    def test_is_put_in_when_a_message_tells_it(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        parts = {"contact": contact, "conversation": chatwoot.conversation(inbox_id="5")}
        hub.done(chatwoot.event("conversation.created", **parts))
        parts["conversation"] = chatwoot.conversation(inbox_id="5", inbox_name="Website")
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert sentences.NO_MESSAGE_YET in ticket()["content"]
        assert "Conversation 1201 in Website" in ticket()["content"]
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert "PUT Ticket" not in " ".join(hub.requests)
        hub.done(chatwoot.event("message.created", message=chatwoot.message("Hi"), **parts))
        assert ticket()["content"].startswith("<p>Hi</p>")

    def test_is_not_put_over_what_a_technician_wrote(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any, see: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        parts = {"contact": contact, "conversation": chatwoot.conversation(inbox_id="5")}
        hub.done(chatwoot.event("conversation.created", **parts))
        theirs = ticket()["content"].replace("Conversation", "See conversation")
        see.change(f"Ticket/{ticket()['id']}", content=theirs)
        parts["conversation"] = chatwoot.conversation(inbox_id="5", inbox_name="Website")
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert ticket()["content"] == theirs


class TestRequestSource:
    @pytest.mark.parametrize(
        ("channel", "chosen", "stands"),
        [
            ("Channel::Email", None, 2),
            ("Channel::Email", 6, 2),
            ("Channel::WebWidget", 6, 6),
            ("Channel::WebWidget", None, 1),
            (None, None, 1),
        ],
    )
    def test_tells_the_channel(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any, channel: Any, chosen: Any,
        stands: int,
    ) -> None:  # fmt: skip
        hub = make_hub(first_message_grace=0, request_source_id=chosen)
        talk = chatwoot.conversation(channel=channel)
        hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        assert ticket()["requesttypes_id"] == stands

    def test_that_does_not_exist_is_told_at_setup(self, make_hub: Any) -> None:
        with pytest.raises(SetupFailed) as failed:
            make_hub(request_source_id=99)
        assert failed.value.sentence == sentences.REQUEST_SOURCE_MISSING.format(id=99)
        assert failed.value.field == "request_source_id"


@pytest.fixture
def contact(chatwoot: Any) -> Any:
    return chatwoot.contact()
