"""What a visitor types finds a person and changes none: every way a visitor has of naming others.

A visitor names an administrator, or a customer whose record the hub has made, then somebody else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Remote
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.visitors import (
    MAIL,
    NUMBER,
    OTHER_NUMBER,
    SITE,
    WHATSAPP,
    live,
    said,
    stranger,
    takeover,
)


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
