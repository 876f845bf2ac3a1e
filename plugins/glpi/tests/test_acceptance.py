"""The whole flow against GLPI: the simulator, or with ``-m live`` a real server.

Everything is seen through GLPI's API, so these tests are as true on a real server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Change, Done, HubError, KeepBack, Postpone, Sender, Skip


def ticket_of(see: Any, chatwoot: Any, number: str = "1201") -> int:
    (ticket,) = see.tickets_containing(
        f'{chatwoot.mark}.chat.example/app/accounts/1/conversations/{number}"'
    )
    return int(ticket)


@pytest.fixture
def contact(chatwoot: Any) -> Any:
    return chatwoot.contact()


@pytest.fixture
def opened(chatwoot: Any, hub: Any, contact: Any) -> Any:
    """An open conversation with its ticket, made from the customer's first message."""
    conversation = chatwoot.conversation()
    first = chatwoot.message("My printer burns.")
    event = chatwoot.event(
        "message.created", contact=contact, conversation=conversation, message=first, version=100
    )
    hub.done(event)
    return conversation


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


class TestContacts:
    def test_becomes_a_user(self, chatwoot: Any, hub: Any, see: Any) -> None:
        contact = chatwoot.contact("Carla Díaz Ruiz", phone="+34612345678")
        done = hub.done(chatwoot.event("contact.created", contact=contact))
        (user_id,) = see.users_with_email(contact.email)
        user = see.call("GET", f"User/{user_id}")
        assert (user["firstname"], user["realname"]) == ("Carla", "Díaz Ruiz")
        assert user["phone"] == "+34 612 34 56 78"
        assert user["name"] == contact.email
        assert done.sentence == f"User {user_id} created."
        assert done.url.endswith(f"/front/user.form.php?id={user_id}")

    def test_is_found_by_exact_email(self, chatwoot: Any, hub: Any, see: Any) -> None:
        email = chatwoot.email("found")
        there = see.add("User", name=f"{chatwoot.mark}-login", realname="Kept", _useremails=[email])
        hub.done(
            chatwoot.event("contact.created", contact=chatwoot.contact("Other Name", email=email))
        )
        assert see.users_with_email(email) == [there]
        assert see.call("GET", f"User/{there}")["realname"] == "Kept"

    def test_is_found_by_a_secondary_email(self, chatwoot: Any, hub: Any, see: Any) -> None:
        email = chatwoot.email("second")
        there = see.add(
            "User",
            name=f"{chatwoot.mark}-two",
            _useremails=[chatwoot.email("first"), email],
        )
        done = hub.done(chatwoot.event("contact.created", contact=chatwoot.contact(email=email)))
        assert str(there) in done.sentence

    def test_an_email_with_wildcards_is_not_taken_for_another(
        self, chatwoot: Any, hub: Any, see: Any
    ) -> None:
        see.add("User", name=f"{chatwoot.mark}-carla", _useremails=[chatwoot.email("carla")])
        strange = chatwoot.email("c%a")
        hub.done(chatwoot.event("contact.created", contact=chatwoot.contact(email=strange)))
        found = see.users_with_email(strange)
        assert len([u for u in found if strange in see.emails(u)]) == 1

    def test_phone_only_gets_a_valid_login(self, chatwoot: Any, hub: Any, see: Any) -> None:
        digits = f"4915{int(chatwoot.mark, 16) % 10**9:09d}"
        contact = chatwoot.contact(email=None, phone=f"+{digits}")
        hub.done(chatwoot.event("contact.created", contact=contact))
        (user_id,) = see.users_with_login(digits)
        try:
            again = replace(contact, id="18", name="Ann Again")
            hub.done(chatwoot.event("contact.created", contact=again))
            assert see.users_with_login(digits) == [user_id]
        finally:
            see.purge(f"User/{user_id}")

    @pytest.mark.parametrize("typed", ["+49 (0)1512 {rest}", "01512-{rest}", "00491512 {rest}"])
    @pytest.mark.parametrize("column", ["phone", "phone2", "mobile"])
    def test_is_found_by_phone_as_people_type_it(
        self, chatwoot: Any, hub: Any, see: Any, typed: str, column: str
    ) -> None:
        rest = f"{int(chatwoot.mark, 16) % 10**7:07d}"
        number = {column: typed.format(rest=f"{rest[:3]} {rest[3:]}")}
        there = see.add("User", name=f"{chatwoot.mark}-phone", **number)
        contact = chatwoot.contact(email=None, phone=f"+491512{rest}")
        done = hub.done(chatwoot.event("contact.created", contact=contact))
        assert f"User {there} found by phone" in done.sentence

    def test_only_what_changed_is_written(self, chatwoot: Any, hub: Any, see: Any) -> None:
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        (user_id,) = see.users_with_email(contact.email)
        see.change(f"User/{user_id}", phone="typed by an agent")
        hub.done(
            chatwoot.event("contact.updated", contact=replace(contact, name="Ann Li"), version=2)
        )
        user = see.call("GET", f"User/{user_id}")
        assert (user["realname"], user["phone"]) == ("Li", "typed by an agent")

    def test_an_update_without_news_costs_no_call(self, chatwoot: Any, hub: Any) -> None:
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        noise = chatwoot.event("contact.updated", contact=contact, version=5)
        assert isinstance(hub.refused(noise), Skip)
        assert hub.requests == []

    def test_an_older_state_does_not_win(self, chatwoot: Any, hub: Any, see: Any) -> None:
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        newer = replace(contact, name="Ann New")
        hub.done(chatwoot.event("contact.updated", contact=newer, version=9))
        older = replace(contact, name="Ann Old")
        assert isinstance(
            hub.refused(chatwoot.event("contact.updated", contact=older, version=8)), Skip
        )
        (user_id,) = see.users_with_email(contact.email)
        assert see.call("GET", f"User/{user_id}")["realname"] == "New"

    def test_a_new_email_is_added_as_default_if_wanted(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any
    ) -> None:
        hub = make_hub(emails_follow=True)
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        (user_id,) = see.users_with_email(contact.email)
        moved = replace(contact, email=chatwoot.email("new"))
        hub.done(chatwoot.event("contact.updated", contact=moved, version=2))
        assert sorted(see.emails(user_id)) == sorted([contact.email, moved.email])
        emails = see.call("GET", f"User/{user_id}/UserEmail")
        assert [e["email"] for e in emails if e["is_default"]] == [moved.email]

    def test_without_email_and_phone_there_is_no_record(self, chatwoot: Any, hub: Any) -> None:
        nobody = chatwoot.contact(email=None)
        done = hub.done(chatwoot.event("contact.created", contact=nobody))
        assert "neither an email nor a phone" in done.sentence
        assert hub.requests == []


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


class TestGoneInGlpi:
    @pytest.mark.parametrize("how", ["trash", "purge"])
    def test_a_ticket(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any, how: str
    ) -> None:
        ticket_id = ticket_of(see, chatwoot)
        getattr(see, how)(f"Ticket/{ticket_id}")
        parts = {"contact": contact, "conversation": replace(opened, status="resolved")}
        skip = hub.refused(chatwoot.event("conversation.resolved", version=101, **parts))
        assert isinstance(skip, Skip)
        assert str(ticket_id) in skip.sentence
        message = chatwoot.event("message.created", message=chatwoot.message("More."), **parts)
        assert isinstance(hub.refused(message), Skip)
        assert hub.requests == []
        if how == "trash":
            see.purge(f"Ticket/{ticket_id}")

    def test_a_ticket_noticed_by_a_message(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
    ) -> None:
        ticket_id = ticket_of(see, chatwoot)
        see.purge(f"Ticket/{ticket_id}")
        message = chatwoot.event(
            "message.created",
            contact=contact,
            conversation=opened,
            message=chatwoot.message("More."),
        )
        skip = hub.refused(message)
        assert skip.sentence == f"Ticket {ticket_id} no longer exists in GLPI."
        assert isinstance(skip, Skip)

    def test_a_user(self, chatwoot: Any, hub: Any, see: Any, contact: Any) -> None:
        hub.done(chatwoot.event("contact.created", contact=contact))
        (user_id,) = see.users_with_email(contact.email)
        see.purge(f"User/{user_id}")
        renamed = replace(contact, name="Ann Li")
        skip = hub.refused(chatwoot.event("contact.updated", contact=renamed, version=2))
        assert skip.sentence == f"User {user_id} was deleted in GLPI."
        conversation = chatwoot.conversation()
        hub.done(chatwoot.event("conversation.created", contact=renamed, conversation=conversation))
        (again,) = see.users_with_email(contact.email)
        assert again != user_id
        assert see.requesters(ticket_of(see, chatwoot)) == [(again, "")]

    def test_a_trashed_login_does_not_stop_a_new_user(
        self, chatwoot: Any, hub: Any, see: Any, contact: Any
    ) -> None:
        old = see.add("User", name=contact.email, _useremails=[contact.email])
        see.trash(f"User/{old}")
        hub.done(chatwoot.event("contact.created", contact=contact))
        (new,) = see.users_with_email(contact.email)
        assert new != old
        see.purge(f"User/{old}")


class TestContactMode:
    def test_contacts_and_requesters_by_email(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any
    ) -> None:
        hub = make_hub(use_contact=True)
        contact = chatwoot.contact("Ann Lee", phone="+34612345678")
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        (contact_id,) = see.contacts_with_email(contact.email)
        record = see.call("GET", f"Contact/{contact_id}")
        assert (record["firstname"], record["name"]) == ("Ann", "Lee")
        assert see.requesters(ticket_of(see, chatwoot)) == [(0, contact.email)]
        assert see.users_with_email(contact.email) == []

    def test_a_contact_is_found_and_left_as_it_is(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any
    ) -> None:
        hub = make_hub(use_contact=True)
        contact = chatwoot.contact("Ann Lee")
        there = see.add("Contact", name="Lee", email=contact.email)
        hub.done(chatwoot.event("contact.created", contact=contact))
        phoned = replace(contact, phone="+34612345678")
        hub.done(chatwoot.event("contact.updated", contact=phoned, version=2))
        assert see.contacts_with_email(contact.email) == [there]
        record = see.call("GET", f"Contact/{there}")
        assert (record["firstname"] or "", record["phone"] or "") == ("", "")


class TestAnonymous:
    @pytest.mark.parametrize(
        ("wish", "ending"), [("when_known", KeepBack), ("nothing", Skip), ("at_once", None)]
    )
    def test_what_it_becomes(
        self,
        chatwoot: Any,
        make_hub: Callable[..., Any],
        see: Any,
        wish: str,
        ending: type[HubError] | None,
    ) -> None:
        hub = make_hub(unknown_people=wish)
        parts = {"contact": chatwoot.contact(email=None), "conversation": chatwoot.conversation()}
        event = chatwoot.event("conversation.created", **parts)
        if ending is None:
            hub.done(event)
        else:
            assert type(hub.refused(event)) is ending
        assert len(see.tickets_containing(chatwoot.mark)) == (ending is None)

    @pytest.mark.parametrize("use_contact", [False, True])
    def test_a_late_email_makes_a_requester(
        self, chatwoot: Any, make_hub: Callable[..., Any], see: Any, use_contact: bool
    ) -> None:
        hub = make_hub(anonymous_tickets=True, use_contact=use_contact)
        contact = chatwoot.contact(email=None)
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        ticket_id = ticket_of(see, chatwoot)
        before = see.requesters(ticket_id)
        known = replace(contact, email=chatwoot.email())
        hub.done(chatwoot.event("contact.updated", contact=known, version=2))
        after = [actor for actor in see.requesters(ticket_id) if actor not in before]
        if use_contact:
            assert after == [(0, known.email)]
        else:
            (user_id,) = see.users_with_email(known.email)
            assert after == [(user_id, "")]


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


class TestAtTheSameMoment:
    def test_one_person_in_many_lanes_is_one_user(self, chatwoot: Any, hub: Any, see: Any) -> None:
        outcomes: list[Any] = []
        email = chatwoot.email("same")

        def deliver(number: int) -> None:
            contact = chatwoot.contact(id=str(100 + number), email=email)
            worker = hub.worker()
            outcomes.append(worker.deliver(chatwoot.event("contact.created", contact=contact)))

        threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
        assert len(outcomes) == 8
        assert len(see.users_with_email(email)) == 1


def test_a_note_by_someone_without_a_name(
    chatwoot: Any, hub: Any, see: Any, contact: Any, opened: Any
) -> None:
    message = chatwoot.reply("Beep.", sender=Sender("bot"))
    hub.done(
        chatwoot.event("message.created", contact=contact, conversation=opened, message=message)
    )
    (followup,) = see.followups(ticket_of(see, chatwoot))
    assert "<strong>Bot" in followup["content"]
