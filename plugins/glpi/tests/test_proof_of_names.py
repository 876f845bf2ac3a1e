"""What a visitor types finds a person and changes none: names, and what an operator may set."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Contact
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.visitors import (
    NUMBER,
    OTHER_NUMBER,
    PHONE,
    SITE,
    SUPER_ADMIN,
    TECHNICIAN,
    WHATSAPP,
    live,
    message_of,
    renamed,
    stranger,
    takeover,
)


class TestOwn:
    def test_a_record_whose_creation_was_cut_off_stays_the_hubs(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        ann = chatwoot.contact()
        simulator.add_fault(Fault("drop_after", method="POST", path="User"))
        event = chatwoot.event("contact.created", contact=ann)
        simulated_hub.refused(event)
        simulated_hub.done(event)
        renamed = replace(ann, name="Ann Li")
        simulated_hub.done(chatwoot.event("contact.updated", contact=renamed, version=2))
        assert simulator.users()[-1]["realname"] == "Li"

    def test_one_that_others_made_before_is_not(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any, people: Any
    ) -> None:
        """Though a creation was begun, and cut off before it reached GLPI."""
        ann = chatwoot.contact()
        simulator.add_fault(Fault("drop_before", method="POST", path="User"))
        event = chatwoot.event("contact.created", contact=ann)
        simulated_hub.refused(event)
        user = api.users.create({"name": ann.email, "realname": "Other"})
        with simulator.database.lock:
            simulator.database["User"].rows[user]["date_creation"] = "2020-01-01 00:00:00"
        before = people()
        simulated_hub.done(event)
        simulated_hub.deliver(
            chatwoot.event("contact.updated", contact=replace(ann, name="Ann Li"), version=2)
        )
        assert people() == before

    @pytest.mark.parametrize("use_contact", [False, True])
    @pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
    def test_one_with_another_address_that_others_made_meanwhile_is_not(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any,
        people: Any, kind: str, use_contact: bool,
    ) -> None:  # fmt: skip
        """Whoever gives it after a creation that was cut off."""
        hub = make_simulated_hub(use_contact=use_contact)
        ann = stranger(chatwoot, email=chatwoot.email("mallory"))
        path = "Contact" if use_contact else "User"
        simulator.add_fault(Fault(kind, method="POST", path=path))
        hub.refused(chatwoot.event("contact.created", contact=ann))
        email = chatwoot.email("boss")
        if use_contact:
            api.contacts.create({"name": "Boss", "email": email})
        else:
            api.users.create({"name": "boss", "realname": "Boss", "_useremails": [email]})
        before = people(), copy.deepcopy(simulator.rows("Contact"))
        typed = replace(ann, email=email)
        hub.done(chatwoot.event("contact.updated", contact=typed, version=2))
        hub.deliver(chatwoot.event("contact.updated", version=3, **renamed(typed, "Mal Ice")))
        assert (people(), simulator.rows("Contact")) == before


class TestNames:
    """A name follows only from the contact for which the record was made."""

    @pytest.fixture
    def ann(self, chatwoot: Any) -> Contact:
        contact: Contact = chatwoot.contact()
        return contact

    @pytest.fixture
    def visitor(self, chatwoot: Any) -> Contact:
        return Contact("18", "Mallory Evil")

    @pytest.mark.parametrize("settings", [{}, {"follow_found": True}])
    def test_another_contact_with_the_same_address_gives_none(
        self, chatwoot: Any, make_simulated_hub: Any, people: Any, ann: Contact, visitor: Contact,
        settings: Any,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(**settings)
        hub.done(chatwoot.event("contact.created", contact=ann))
        before = people()
        typed = replace(visitor, email=ann.email)
        live(hub, chatwoot, *takeover(chatwoot, typed, replace(typed, name="M. E.")))
        assert people() == before

    @pytest.mark.parametrize("settings", [{}, {"follow_found": True}])
    def test_a_visitor_merged_into_the_customer_gives_none(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, people: Any,
        ann: Contact, visitor: Contact, settings: Any,
    ) -> None:  # fmt: skip
        """The conversation is the customer's then; what was sent before the merge comes late."""
        hub = make_simulated_hub(unknown_people="at_once", **settings)
        hub.done(chatwoot.event("contact.created", contact=ann))
        user = simulator.users()[-1]["id"]
        talk = chatwoot.conversation(channel=SITE)
        merged = replace(ann, phone=OTHER_NUMBER)
        typed = replace(visitor, email=ann.email)
        before = people()
        live(
            hub,
            chatwoot,
            ("contact.created", {"contact": visitor}),
            ("message.created", message_of(chatwoot, visitor, talk, "Not known yet.")),
            ("contact.updated", {"contact": merged}),
            ("message.updated", message_of(chatwoot, ann, talk, "Not known yet.")),
            ("contact.updated", renamed(typed, "Mallory Evil")),
            ("contact.updated", renamed(typed, "Mallory E.")),
            ("message.created", message_of(chatwoot, merged, talk, "Now you know me.")),
        )
        assert people() == before
        (ticket,) = simulator.tickets()
        assert ticket["_requesters"] == [user]

    @pytest.mark.parametrize("settings", [{}, {"follow_found": True}])
    @pytest.mark.parametrize("phone", [None, OTHER_NUMBER])
    def test_a_customer_merged_into_a_visitor_gets_none(
        self, chatwoot: Any, make_simulated_hub: Any, people: Any, ann: Contact, visitor: Contact,
        settings: Any, phone: str | None,
    ) -> None:  # fmt: skip
        """With a number the visitor has a record, too, and gains the customer's address."""
        hub = make_simulated_hub(**settings)
        visitor = replace(visitor, phone=phone)
        live(
            hub,
            chatwoot,
            ("contact.created", {"contact": ann}),
            ("contact.created", {"contact": visitor}),
        )
        before = people()
        survivor = replace(visitor, email=ann.email)
        live(
            hub,
            chatwoot,
            ("contact.updated", renamed(survivor, "Mallory")),
            ("contact.updated", renamed(survivor, "Mallory E.")),
        )
        assert people() == before

    def test_one_whose_creation_was_cut_off_before_the_customer_came_gives_none(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, people: Any,
        ann: Contact, visitor: Contact,
    ) -> None:  # fmt: skip
        typed = replace(visitor, email=ann.email)
        simulator.add_fault(Fault("drop_before", method="POST", path="User"))
        created = chatwoot.event("contact.created", contact=typed)
        simulated_hub.refused(created)
        simulated_hub.done(chatwoot.event("contact.created", contact=ann))
        before = people()
        simulated_hub.done(created)
        update = renamed(typed, "Mallory E.")
        simulated_hub.deliver(chatwoot.event("contact.updated", version=2, **update))
        assert people() == before

    def test_one_that_others_made_at_the_same_moment_gets_none(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any, people: Any,
        ann: Contact, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Between the search, which finds nobody, and the creation, which GLPI refuses then."""
        api.users.create({"name": ann.email, "realname": "Other"})
        monkeypatch.setattr("hub_glpi.records.find_user", lambda *_: None)
        before = people()
        simulated_hub.done(chatwoot.event("contact.created", contact=ann))
        update = renamed(ann, "Ann Li")
        simulated_hub.deliver(chatwoot.event("contact.updated", version=2, **update))
        assert people() == before


class TestSettings:
    def test_emails_follow_if_wanted(
        self, chatwoot: Any, make_simulated_hub: Any, people: Any
    ) -> None:
        hub = make_simulated_hub(emails_follow=True)
        ann = chatwoot.contact()
        moved = replace(ann, email=chatwoot.email("new"))
        live(hub, chatwoot, *takeover(chatwoot, ann, moved))
        (user, *_) = people()[0][::-1]
        assert (user["id"], moved.email, 1) in people()[1]

    def test_other_records_are_kept_in_step_if_wanted(
        self, chatwoot: Any, make_simulated_hub: Any, api: Any, people: Any
    ) -> None:
        hub = make_simulated_hub(follow_found=True)
        email = chatwoot.email("customer")
        user = api.users.create({"name": "c", "realname": "Old", "_useremails": [email]})
        contact = stranger(chatwoot, name="Ann New", email=email)
        then = replace(contact, name="Ann Newer", email=chatwoot.email("other"))
        live(hub, chatwoot, *takeover(chatwoot, contact, then))
        found = api.users.get(user)
        assert (found["firstname"], found["realname"]) == ("Ann", "Newer")
        assert [row[1] for row in people()[1] if row[0] == user] == [email]

    @pytest.mark.parametrize("profile", [SUPER_ADMIN, TECHNICIAN])
    def test_never_for_people_who_work_in_glpi(
        self, chatwoot: Any, make_simulated_hub: Any, api: Any, people: Any, profile: int
    ) -> None:
        hub = make_simulated_hub(follow_found=True, emails_follow=True)
        email = chatwoot.email("staff")
        api.users.create(
            {"name": "s", "realname": "Staff", "_useremails": [email], "_profiles_id": profile}
        )
        before = people()
        contact = stranger(chatwoot, email=email)
        then = replace(contact, name="Mal", email=chatwoot.email("mallory"))
        live(hub, chatwoot, *takeover(chatwoot, contact, then))
        assert people() == before

    @pytest.mark.parametrize(
        ("path", "status", "body"),
        [
            ("Profile_User", 403, '["ERROR_RIGHT_MISSING", "No."]'),
            (r"Profile/\d", 403, '["ERROR_RIGHT_MISSING", "No."]'),
            # Of an entity out of reach nothing is shown.
            ("Profile_User", 200, "[]"),
        ],
    )
    def test_not_for_people_whose_profile_cannot_be_read(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any,
        people: Any, path: str, status: int, body: str,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(follow_found=True, emails_follow=True)
        email = chatwoot.email("customer")
        api.users.create({"name": "c", "realname": "Old", "_useremails": [email]})
        simulator.add_fault(
            Fault("status", path=path, status=status, times=None, body=body,
                  content_type="application/json")
        )  # fmt: skip
        before = people()
        contact = replace(stranger(chatwoot, email=email, phone=NUMBER), proven=PHONE)
        then = replace(contact, name="Mal", email=chatwoot.email("mallory"))
        live(hub, chatwoot, *takeover(chatwoot, contact, then, WHATSAPP))
        assert people() == before

    def test_setup_says_which_right_it_takes_to_tell(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any,
        people: Any,
    ) -> None:  # fmt: skip
        """GLPI's own technicians may read users, but no profiles."""
        lacking = "the GLPI profile Technician lacks the right to read profiles"
        token = simulator.user_tokens["tech"]
        hub = make_simulated_hub(user_token=token, follow_found=True, emails_follow=True)
        assert lacking in str(hub.last.titles)
        email = chatwoot.email("customer")
        api.users.create({"name": "c", "realname": "Old", "_useremails": [email]})
        before = people()
        contact = stranger(chatwoot, email=email)
        live(hub, chatwoot, *takeover(chatwoot, contact, replace(contact, name="Mal")))
        assert people() == before
        assert "profiles" in make_simulated_hub().last.steps
        assert "profiles" not in make_simulated_hub(use_contact=True).last.steps
