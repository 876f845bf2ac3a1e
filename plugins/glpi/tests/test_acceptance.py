"""The whole flow against GLPI: the simulator, or with ``-m live`` a real server.

Everything is seen through GLPI's API, so these tests are as true on a real server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Change, Postpone, Sender, Skip
from plugins.glpi.tests.support import ticket_of


class TestSetup:
    def test_learns_what_deliveries_need(self, make_hub: Any) -> None:
        hub = make_hub(with_setup=False)
        result = hub.setup()
        assert result.learned["version"].split(".")[0].isdigit()
        assert isinstance(result.learned["entity_id"], int)
        assert result.learned["user_name"]
        assert result.sentence.startswith(f"GLPI {result.learned['version']} is ready")
        assert hub.last.steps[0] == "address"

    def test_completes_the_address(self, make_hub: Any, glpi: Any) -> None:
        pasted = glpi.api_url.removesuffix("/apirest.php") + "/front/central.php?x=1"
        hub = make_hub(with_setup=False, api_url=pasted)
        assert hub.setup().settings == {"api_url": glpi.api_url}

    def test_can_be_run_again(self, hub: Any) -> None:
        assert hub.setup().learned["version"] == hub.setup().learned["version"]


class TestConversations:
    def test_becomes_a_ticket(self, chatwoot: Any, opened: Any, see: Any, contact: Any) -> None:
        ticket_id = ticket_of(see, chatwoot)
        ticket = see.call("GET", f"Ticket/{ticket_id}")
        (user_id,) = see.users_with_email(contact.email)
        assert see.requesters(ticket_id) == [(user_id, "")]
        assert ticket["status"] == 2
        assert ticket["priority"] == 3
        assert ticket["type"] == 1
        assert ticket["name"] == "My printer burns."
        assert "<p>My printer burns.</p>" in ticket["content"]
        assert f'href="{opened.url}"' in ticket["content"]

    @pytest.mark.parametrize(
        ("status", "expected"), [("open", 2), ("pending", 4), ("snoozed", 4), ("resolved", 5)]
    )
    def test_status_at_creation(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, status: str, expected: int
    ) -> None:
        conversation = chatwoot.conversation(status=status)
        hub.done(chatwoot.event("conversation.created", contact=contact, conversation=conversation))
        ticket = see.call("GET", f"Ticket/{ticket_of(see, chatwoot)}")
        assert ticket["status"] == expected

    @pytest.mark.parametrize(
        ("priority", "expected"),
        [("urgent", 5), ("high", 4), ("medium", 3), ("low", 2), (None, 3)],
    )
    def test_priority_follows(
        self,
        chatwoot: Any,
        hub: Any,
        see: Any,
        contact: Any,
        opened: Any,
        priority: Any,
        expected: int,
    ) -> None:
        changed = replace(opened, priority=priority)
        hub.deliver(
            chatwoot.event(
                "conversation.updated", contact=contact, conversation=changed, version=101
            )
        )
        ticket = see.call("GET", f"Ticket/{ticket_of(see, chatwoot)}")
        assert ticket["priority"] == expected

    def test_resolved_solves_once(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        resolved = replace(opened, status="resolved")
        parts = {"contact": contact, "conversation": resolved, "version": 101}
        done = hub.done(chatwoot.event("conversation.resolved", **parts))
        ticket_id = ticket_of(see, chatwoot)
        assert done.sentence == f"Ticket {ticket_id} solved."
        ticket = see.call("GET", f"Ticket/{ticket_id}")
        assert ticket["status"] == 5
        assert ticket["solvedate"]
        twin = chatwoot.event("conversation.updated", **parts)
        assert isinstance(hub.refused(twin), Skip)
        assert hub.requests == []

    def test_reopening(self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any) -> None:
        for version, status in ((101, "resolved"), (102, "open")):
            changed = replace(opened, status=status)
            done = hub.done(
                chatwoot.event(
                    "conversation.updated", contact=contact, conversation=changed, version=version
                )
            )
        ticket_id = ticket_of(see, chatwoot)
        ticket = see.call("GET", f"Ticket/{ticket_id}")
        assert ticket["status"] == 2
        assert not ticket["solvedate"]
        assert done.sentence == f"Ticket {ticket_id} reopened."

    @pytest.mark.parametrize("status", [3, 6])
    def test_labels_and_assignments_leave_an_agents_status(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any, status: int
    ) -> None:
        ticket_id = ticket_of(see, chatwoot)
        see.change(f"Ticket/{ticket_id}", status=status)
        labelled = replace(opened, labels=("vip",), assignee="Bob")
        hub.refused(
            chatwoot.event(
                "conversation.updated",
                contact=contact,
                conversation=labelled,
                version=101,
                changes={"label_list": Change([], ["vip"])},
            )
        )
        assert hub.requests == []
        assert see.call("GET", f"Ticket/{ticket_id}")["status"] == status

    def test_a_closed_ticket_is_not_turned_back_to_solved(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        ticket_id = ticket_of(see, chatwoot)
        see.change(f"Ticket/{ticket_id}", status=6)
        resolved = replace(opened, status="resolved")
        hub.done(
            chatwoot.event(
                "conversation.resolved", contact=contact, conversation=resolved, version=101
            )
        )
        assert see.call("GET", f"Ticket/{ticket_id}")["status"] == 6

    def test_an_older_state_does_not_win(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        hub.done(
            chatwoot.event(
                "conversation.updated",
                contact=contact,
                conversation=replace(opened, status="resolved"),
                version=110,
            )
        )
        older = chatwoot.event(
            "conversation.updated",
            contact=contact,
            conversation=replace(opened, status="pending"),
            version=105,
        )
        assert isinstance(hub.refused(older), Skip)
        assert see.call("GET", f"Ticket/{ticket_of(see, chatwoot)}")["status"] == 5

    def test_solution_text(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any, contact: Any
    ) -> None:
        hub = make_hub(solution_text="Resolved in <chat>.")
        conversation = chatwoot.conversation()
        parts: dict[str, Any] = {"contact": contact, "conversation": conversation}
        hub.done(chatwoot.event("conversation.created", version=1, **parts))
        parts["conversation"] = replace(conversation, status="resolved")
        hub.done(chatwoot.event("conversation.resolved", version=2, **parts))
        ticket_id = ticket_of(see, chatwoot)
        assert see.call("GET", f"Ticket/{ticket_id}")["status"] == 5
        (solution,) = see.call("GET", f"Ticket/{ticket_id}/ITILSolution")
        assert solution["content"] == "<p>Resolved in &lt;chat&gt;.</p>"

    def test_a_conversation_first_heard_of_when_resolved(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any, contact: Any
    ) -> None:
        hub = make_hub(solution_text="Done.")
        conversation = chatwoot.conversation(status="resolved")
        hub.done(
            chatwoot.event("conversation.resolved", contact=contact, conversation=conversation)
        )
        ticket_id = ticket_of(see, chatwoot)
        assert see.call("GET", f"Ticket/{ticket_id}")["status"] == 5
        assert len(see.call("GET", f"Ticket/{ticket_id}/ITILSolution")) == 1


class TestFirstMessage:
    def test_it_is_waited_for(self, chatwoot: Any, hub: Any, see: Any, contact: Any) -> None:
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        created = chatwoot.event("conversation.created", received_at=chatwoot.clock.now(), **parts)
        postponed = hub.refused(created)
        assert isinstance(postponed, Postpone)
        assert 0 < postponed.delay <= 2
        message = chatwoot.event("message.created", message=chatwoot.message("Help!"), **parts)
        hub.done(created, waiting=[message])
        ticket_id = ticket_of(see, chatwoot)
        assert "<p>Help!</p>" in see.call("GET", f"Ticket/{ticket_id}")["content"]
        hub.done(message)
        assert see.followups(ticket_id) == []

    def test_it_is_set_into_the_ticket_when_it_comes_late(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any
    ) -> None:
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        ticket_id = ticket_of(see, chatwoot)
        assert "not written anything yet" in see.call("GET", f"Ticket/{ticket_id}")["content"]
        late = chatwoot.event("message.created", message=chatwoot.message("Late."), **parts)
        hub.done(late)
        ticket = see.call("GET", f"Ticket/{ticket_id}")
        assert "<p>Late.</p>" in ticket["content"]
        assert "not written anything yet" not in ticket["content"]
        assert ticket["name"] == "Late."
        assert see.followups(ticket_id) == []

    def test_a_text_that_an_agent_wrote_stays(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any
    ) -> None:
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        ticket_id = ticket_of(see, chatwoot)
        see.change(f"Ticket/{ticket_id}", content=f"Called them. {chatwoot.mark}")
        hub.done(chatwoot.event("message.created", message=chatwoot.message("Late."), **parts))
        assert "Called them." in see.call("GET", f"Ticket/{ticket_id}")["content"]
        assert len(see.followups(ticket_id)) == 1


class TestMessages:
    def test_becomes_a_followup(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        message = chatwoot.message("It <b>burns</b>\nstill & hot")
        hub.done(
            chatwoot.event("message.created", contact=contact, conversation=opened, message=message)
        )
        (followup,) = see.followups(ticket_of(see, chatwoot))
        assert "It &lt;b&gt;burns&lt;/b&gt;<br>still &amp; hot" in followup["content"]
        # GLPI names its author above it.
        assert "Ann Lee" not in followup["content"]
        assert followup["is_private"] == 0
        (user_id,) = see.users_with_email(contact.email)
        assert followup["users_id"] == user_id

    def test_agents_write_markdown(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        hub.done(
            chatwoot.event(
                "message.created",
                contact=contact,
                conversation=opened,
                message=chatwoot.reply("Use **water**, not <i>oil</i>."),
            )
        )
        (followup,) = see.followups(ticket_of(see, chatwoot))
        assert "<strong>water</strong>, not &lt;i&gt;oil&lt;/i&gt;." in followup["content"]
        assert "Bob Agent" in followup["content"]

    def test_private_notes_are_private(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        note = chatwoot.reply("He is angry.", private=True)
        parts = {"contact": contact, "conversation": opened}
        hub.done(chatwoot.event("message.created", message=note, **parts))
        (followup,) = see.followups(ticket_of(see, chatwoot))
        assert followup["is_private"] == 1

    def test_waiting_messages_go_in_one_request_and_in_order(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        events = [
            chatwoot.event(
                "message.created",
                contact=contact,
                conversation=opened,
                message=chatwoot.message(f"Line {number}."),
            )
            for number in range(20)
        ]
        hub.done(*events)
        assert hub.requests == ["POST ITILFollowup"]
        found = see.followups(ticket_of(see, chatwoot))
        assert [f"Line {n}." in item["content"] for n, item in enumerate(found)] == [True] * 20

    def test_an_edited_and_then_deleted_message(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        message = chatwoot.message("Frist")
        parts = {"contact": contact, "conversation": opened}
        hub.done(chatwoot.event("message.created", message=message, **parts))
        same = chatwoot.event("message.updated", message=message, **parts)
        assert isinstance(hub.refused(same), Skip)
        assert hub.requests == []
        edited = replace(message, text="First")
        hub.done(chatwoot.event("message.updated", message=edited, **parts))
        (followup,) = see.followups(ticket_of(see, chatwoot))
        assert "First" in followup["content"]
        gone = replace(message, text="", deleted=True)
        hub.done(chatwoot.event("message.updated", message=gone, **parts))
        (followup,) = see.followups(ticket_of(see, chatwoot))
        assert "First" not in followup["content"]
        assert "deleted" in followup["content"]

    def test_a_message_may_be_the_first_thing_heard(
        self, chatwoot: Any, hub: Any, see: Any
    ) -> None:
        update = chatwoot.event(
            "message.updated",
            contact=chatwoot.contact(),
            conversation=chatwoot.conversation(),
            message=chatwoot.message("Hello?"),
        )
        hub.done(update)
        ticket = see.call("GET", f"Ticket/{ticket_of(see, chatwoot)}")
        assert "Hello?" in ticket["content"]


class TestRequestCounts:
    def test_known_contact_new_conversation(
        self, chatwoot: Any, hub: Any, contact: Any, see: Any
    ) -> None:
        hub.done(chatwoot.event("contact.created", contact=contact))
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        first = chatwoot.event("message.created", message=chatwoot.message(), **parts)
        hub.done(chatwoot.event("conversation.created", **parts), waiting=[first])
        assert hub.requests == ["POST Ticket"]

    @pytest.mark.parametrize(("phone", "most"), [(None, 3), ("+4915123456789", 4)])
    def test_unknown_contact_new_conversation(
        self, chatwoot: Any, hub: Any, see: Any, phone: str | None, most: int
    ) -> None:
        number = phone and f"+4915{int(chatwoot.mark, 16) % 10**9:09d}"
        contact = chatwoot.contact(phone=number)
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        assert len(hub.requests) <= most

    def test_sessions_are_used_again(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        opened_sessions = 0
        for number in range(20):
            message = chatwoot.message(f"Line {number}.")
            hub.done(
                chatwoot.event(
                    "message.created", contact=contact, conversation=opened, message=message
                )
            )
            opened_sessions += sum("initSession" in call.url for call in hub.last.calls)
        assert opened_sessions == 0


def test_a_note_by_someone_without_a_name(
    chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
) -> None:
    message = chatwoot.reply("Beep.", sender=Sender("bot"))
    hub.done(
        chatwoot.event("message.created", contact=contact, conversation=opened, message=message)
    )
    (followup,) = see.followups(ticket_of(see, chatwoot))
    assert "<strong>Bot" in followup["content"]
