"""What a visitor types finds a person and changes none: every way a visitor has of naming others.

A visitor names an administrator, or a customer whose record the hub has made, then somebody else.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.api import Glpi
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Change, Contact, Done, Remote, Skip
from hub.sdk.testing.simulator import Fault

SUPER_ADMIN, SELF_SERVICE, TECHNICIAN = 4, 1, 6
NUMBER, OTHER_NUMBER = "+34612345678", "+34699999999"
PHONE = frozenset({"phone"})
SITE, MAIL, WHATSAPP = "Channel::WebWidget", "Channel::Email", "Channel::Whatsapp"


@pytest.fixture
def api(simulated_hub: Any) -> Any:
    with Glpi.for_delivery(simulated_hub.worker()) as glpi:
        yield glpi


@pytest.fixture
def people(simulator: GlpiSimulator) -> Callable[[], Any]:
    """All that GLPI has about people."""

    def look() -> Any:
        users = [
            {name: user[name] for name in ("id", "name", "firstname", "realname", "phone")}
            for user in simulator.users()
        ]
        emails = [
            (row["users_id"], row["email"], row["is_default"])
            for row in simulator.rows("UserEmail")
        ]
        return users, emails

    return look


@pytest.fixture
def boss(api: Any, chatwoot: Any) -> int:
    """An administrator, without a number."""
    values = {"name": "boss", "firstname": "Bea", "realname": "Boss"}
    return int(
        api.users.create(
            {
                **values,
                "_useremails": [chatwoot.email("boss")],
                "_profiles_id": SUPER_ADMIN,
                "_entities_id": 0,
            }
        )
    )


def said(simulator: GlpiSimulator, *, private: bool) -> list[str]:
    rows = sorted(simulator.followups(), key=lambda row: row["id"])
    return [row["content"] for row in rows if bool(row["is_private"]) is private]


def live(hub: Any, chatwoot: Any, *steps: tuple[str, Mapping[str, Any]]) -> None:
    """Deliver events; a step is the event's name and its parts."""
    for version, (name, parts) in enumerate(steps, 1):
        outcome = hub.deliver(chatwoot.event(name, version=version, **parts))
        assert isinstance(outcome, Done | Skip), outcome


def takeover(chatwoot: Any, first: Contact, then: Contact, channel: str = SITE) -> list[Any]:
    """Somebody gives one address, writes, gives another, and writes on."""
    talk = chatwoot.conversation(channel=channel)
    return [
        ("contact.created", {"contact": first}),
        ("conversation.created", {"contact": first, "conversation": talk}),
        ("message.created", message_of(chatwoot, first, talk, "My printer burns.")),
        ("contact.updated", {"contact": then}),
        ("message.created", message_of(chatwoot, then, talk, "And smokes.")),
        ("conversation.resolved", {
            "contact": then, "conversation": replace(talk, status="resolved")
        }),
    ]  # fmt: skip


def message_of(chatwoot: Any, contact: Contact, talk: Any, text: str) -> dict[str, Any]:
    return {"contact": contact, "conversation": talk, "message": chatwoot.message(text)}


def renamed(contact: Contact, name: str) -> dict[str, Any]:
    """The parts of an update that changes the name."""
    changes = {"name": Change(contact.name, name)}
    return {"contact": replace(contact, name=name), "changes": changes}


def stranger(chatwoot: Any, **values: Any) -> Contact:
    return Contact("17", values.pop("name", "Mallory Evil"), **values)


class TestTakeover:
    @pytest.mark.parametrize("channel", [SITE, MAIL, WHATSAPP])
    def test_of_an_administrator(
        self,
        simulator: GlpiSimulator,
        chatwoot: Any,
        simulated_hub: Any,
        boss: int,
        people: Any,
        channel: str,
    ) -> None:
        """By pre-chat form, ``set_user`` without HMAC, a forged From, or an agent's merge: the
        hub sees one and the same thing, a contact with the administrator's email."""
        first = stranger(chatwoot, email=chatwoot.email("boss"), phone=OTHER_NUMBER)
        then = replace(first, email=chatwoot.email("mallory"))
        before = people()
        live(simulated_hub, chatwoot, *takeover(chatwoot, first, then, channel))
        assert people() == before
        (ticket,) = simulator.tickets()
        assert ticket["_requesters"] == [boss]
        assert "My printer burns." in ticket["content"]
        assert said(simulator, private=False) == ["<p>And smokes.</p>"]
        assert ticket["status"] == 5

    def test_with_a_signed_identifier(
        self, chatwoot: Any, simulated_hub: Any, boss: int, people: Any
    ) -> None:
        """HMAC proves the identifier and nothing else."""
        first = stranger(chatwoot, email=chatwoot.email("boss"), identifier="K-1")
        first = replace(first, proven=frozenset({"identifier"}))
        then = replace(first, email=chatwoot.email("mallory"), phone=OTHER_NUMBER)
        before = people()
        live(simulated_hub, chatwoot, *takeover(chatwoot, first, then))
        assert people() == before

    def test_by_the_email_asked_in_the_chat(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, boss: int,
        people: Any,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(unknown_people="at_once")
        nobody = stranger(chatwoot)
        named = replace(nobody, email=chatwoot.email("boss"))
        before = people()
        live(hub, chatwoot, *takeover(chatwoot, nobody, named))
        assert people() == before
        (ticket,) = simulator.tickets()
        assert ticket["_requesters"] == [boss]
        assert said(simulator, private=True)[0].startswith(
            "<p>Address typed on the website, not proven: "
        )

    def test_of_a_customer_whose_record_the_hub_made(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, people: Any
    ) -> None:
        """Chatwoot merges the two contacts, so that the visitor is the customer to the hub: only
        the name of its own record follows."""
        ann = chatwoot.contact()
        live(simulated_hub, chatwoot, *takeover(chatwoot, ann, ann))
        users, emails = people()
        visitor = replace(ann, name="Mallory Evil", email=chatwoot.email("m"), phone=OTHER_NUMBER)
        update = chatwoot.event("contact.updated", contact=visitor, version=9)
        simulated_hub.done(update)
        assert people() == (
            [*users[:-1], {**users[-1], "firstname": "Mallory", "realname": "Evil"}],
            emails,
        )

    def test_by_a_second_contact_with_a_customers_email(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, people: Any
    ) -> None:
        ann = chatwoot.contact()
        simulated_hub.done(chatwoot.event("contact.created", contact=ann))
        before = people()
        second = replace(ann, id="18", name="Mallory Evil", phone=OTHER_NUMBER)
        then = replace(second, email=chatwoot.email("mallory"))
        live(simulated_hub, chatwoot, *takeover(chatwoot, second, then))
        assert people() == before

    def test_by_the_name_of_a_whatsapp_profile(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any, people: Any
    ) -> None:
        user = api.users.create({"name": "owner", "realname": "Owner", "mobile": NUMBER})
        contact = stranger(chatwoot, phone=NUMBER)
        shown = replace(contact, proven=frozenset({"phone"}))
        before = people()
        live(simulated_hub, chatwoot, *takeover(chatwoot, shown, shown, WHATSAPP))
        assert people() == before
        assert simulator.tickets()[0]["_requesters"] == [user]
        assert said(simulator, private=True) == [
            "<p>The customer gave another name, not proven: Mallory Evil.</p>"
        ]

    def test_of_a_glpi_contact(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any
    ) -> None:
        api.contacts.create({"name": "Boss", "email": chatwoot.email("boss")})
        hub = make_simulated_hub(use_contact=True)
        first = stranger(chatwoot, email=chatwoot.email("boss"), phone=OTHER_NUMBER)
        then = replace(first, email=chatwoot.email("mallory"))
        before = simulator.contacts()
        live(hub, chatwoot, *takeover(chatwoot, first, then))
        assert simulator.contacts() == before

    def test_through_links_of_version_1(
        self, chatwoot: Any, simulated_hub: Any, boss: int, people: Any
    ) -> None:
        """They tell which records were found, but not what stood there."""
        first = stranger(chatwoot, email=chatwoot.email("boss"))
        links = simulated_hub.worker().links
        sent = {"firstname": "Mallory", "realname": "Evil", "phone": "", "email": first.email}
        links.adopt("user", "3/17", Remote(str(boss), data={"sent": sent}))
        links.flush()
        before = people()
        then = replace(first, name="M. E.", email=chatwoot.email("mallory"), phone=OTHER_NUMBER)
        live(simulated_hub, chatwoot, *takeover(chatwoot, first, then)[1:])
        assert people() == before


class TestProvenNumbers:
    def test_fill_what_is_empty_and_nothing_else(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        email = chatwoot.email("customer")
        user = api.users.create({"name": "c", "realname": "Customer", "_useremails": [email]})
        contact = stranger(chatwoot, email=email, phone=NUMBER)
        shown = replace(contact, proven=frozenset({"phone"}))
        talk = chatwoot.conversation(channel=WHATSAPP)
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert api.users.get(user)["phone"] in (None, "")
        simulated_hub.done(chatwoot.event("conversation.created", contact=shown, conversation=talk))
        found = api.users.get(user)
        assert (found["phone"], found["realname"]) == ("+34 612 34 56 78", "Customer")
        assert not found["firstname"]
        other = replace(shown, phone=OTHER_NUMBER)
        talk = chatwoot.conversation("7", channel=WHATSAPP)
        simulated_hub.done(chatwoot.event("conversation.created", contact=other, conversation=talk))
        assert api.users.get(user)["phone"] == "+34 612 34 56 78"

    def test_do_not_fill_an_administrators(
        self, chatwoot: Any, simulated_hub: Any, boss: int, people: Any
    ) -> None:
        contact = stranger(chatwoot, email=chatwoot.email("boss"), phone=NUMBER)
        shown = replace(contact, proven=frozenset({"phone"}))
        before = people()
        live(simulated_hub, chatwoot, *takeover(chatwoot, shown, shown, WHATSAPP))
        assert people() == before

    def test_change_the_hubs_own_records(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        contact = chatwoot.contact(email=None, phone=NUMBER)
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        moved = replace(contact, phone=OTHER_NUMBER)
        simulated_hub.done(chatwoot.event("contact.updated", contact=moved, version=2))
        assert simulator.users()[-1]["phone"] == "+34 612 34 56 78"
        parts = {
            "contact": replace(moved, proven=frozenset({"phone"})),
            "conversation": chatwoot.conversation(channel=WHATSAPP),
        }
        simulated_hub.done(chatwoot.event("conversation.created", **parts))
        assert simulator.users()[-1]["phone"] == "+34 699 99 99 99"


class TestTold:
    @pytest.mark.parametrize(
        ("channel", "language", "words"),
        [
            (SITE, "en", "Address typed on the website, not proven: "),
            (MAIL, "en", "Address of a mail’s sender, not proven: "),
            ("Channel::Telegram", "en", "Address given by the customer, not proven: "),
            (SITE, "fr", "Adresse saisie sur le site web, non prouvée : "),
            (SITE, "es", "Dirección escrita en el sitio web, no probada: "),
            (SITE, "pt_BR", "Endereço digitado no site, não provado: "),
        ],
    )
    def test_how_the_requester_was_found(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any,
        channel: str, language: str, words: str,
    ) -> None:  # fmt: skip
        email = chatwoot.email("customer")
        api.users.create({"name": "c", "realname": "Customer", "_useremails": [email]})
        hub = make_simulated_hub(language=language)
        contact = stranger(chatwoot, name="Customer", email=email)
        live(hub, chatwoot, *takeover(chatwoot, contact, contact, channel))
        (note,) = said(simulator, private=True)
        assert note == f"<p>{words}{email}.</p>"
        first = min(simulator.followups(), key=lambda row: row["id"])
        assert first["is_private"] == 1

    def test_what_was_not_taken_over_once_in_each_ticket_and_in_the_story(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, boss: int
    ) -> None:
        first = stranger(chatwoot, name="Bea Boss", email=chatwoot.email("boss"))
        then = replace(first, email=chatwoot.email("m&b"), phone=OTHER_NUMBER)
        live(simulated_hub, chatwoot, *takeover(chatwoot, first, first)[:3])
        update = chatwoot.event("contact.updated", contact=then, version=9)
        simulated_hub.done(update)
        address = "The customer gave another address, not proven: "
        number = "The customer gave another number, not proven: +34 699 99 99 99."
        assert simulated_hub.last.story == [f"{address}{then.email}.", number]
        simulated_hub.refused(replace(update, version=10))
        escaped = chatwoot.email("m&amp;b")
        assert said(simulator, private=True)[1:] == [f"<p>{address}{escaped}.</p><p>{number}</p>"]
        again = {"contact": then, "conversation": chatwoot.conversation("7")}
        simulated_hub.done(chatwoot.event("conversation.created", **again))
        found, *others = said(simulator, private=True)[2].split("</p><p>")
        assert "not proven: " + chatwoot.email("boss") in found
        assert others == [f"{address}{escaped}.", f"{number}</p>"]

    def test_nothing_of_the_hubs_own_records(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        ann = chatwoot.contact()
        live(simulated_hub, chatwoot, *takeover(chatwoot, ann, ann))
        assert said(simulator, private=True) == []

    def test_once_whatever_is_cut_off(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, boss: int
    ) -> None:
        contact = stranger(chatwoot, name="Bea Boss", email=chatwoot.email("boss"))
        for fault in ("drop_after", "drop_before"):
            simulator.add_fault(Fault(fault, method="POST", path="ITILFollowup"))
        parts = {"contact": contact, "conversation": chatwoot.conversation(channel=SITE)}
        event = chatwoot.event("message.created", message=chatwoot.message(), **parts)
        for _ in range(4):
            simulated_hub.deliver(event)
            chatwoot.clock.sleep(600)
        assert len(simulator.tickets()) == 1
        assert len(said(simulator, private=True)) == 1


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
