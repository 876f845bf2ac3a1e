"""People in GLPI: the simulator, or with ``-m live`` a real server. See ``test_acceptance``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Done, HubError, KeepBack, Skip
from plugins.glpi.tests.support import ticket_of


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
