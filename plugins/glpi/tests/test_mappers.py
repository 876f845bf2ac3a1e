"""The mappers: properties that hold for whatever arrives, and the rules by example."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from hub_glpi.config import PRIORITIES, STATUSES
from hub_glpi.mappers import contact as contacts
from hub_glpi.mappers import conversation as conversations
from hub_glpi.mappers import message as messages
from hub_glpi.mappers.text import plain_to_html
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sdk import Attachment, Contact, Conversation, Message, Sender, Source, person_name
from plugins.glpi.tests.markup import NASTY, Tags

LOGIN = re.compile(r"[\w '@.\-]{1,255}")
SOURCE = Source(3, "chatwoot", "1", "https://chat.example")


class TestNames:
    @pytest.mark.parametrize(
        ("name", "first", "last"),
        [
            ("Ann Lee", "Ann", "Lee"),
            ("Carla Díaz Ruiz", "Carla", "Díaz Ruiz"),
            ("  Ann \t\n Lee ", "Ann", "Lee"),
            ("Cher", "", "Cher"),
            ("", "", ""),
            ("   ", "", ""),
            ("山田 太郎", "山田", "太郎"),
            ("山田\u3000太郎", "山田", "太郎"),
            ("محمد علي", "محمد", "علي"),
            ("An\x00n Le\x07e", "An", "n Le e"),
            ("Müller, Jürgen", "Jürgen", "Müller"),
            ("+49 1570 2948837", "", ""),
        ],
    )
    def test_are_split(self, name: str, first: str, last: str) -> None:
        assert contacts.name_parts(person_name(name)) == (first, last)

    @given(st.text(max_size=700))
    def test_fit_into_glpi_and_are_clean(self, name: str) -> None:
        first, last = contacts.name_parts(person_name(name))
        for part in (first, last):
            assert len(part) <= 255
            assert part == part.strip()
            assert not re.search(r"[\x00-\x1f]", part)
        assert last or not first

    def test_a_contact_always_has_a_last_name(self) -> None:
        assert contacts.contact_values(Contact("1", "", email="a@b.example"), None)["name"] == (
            "a@b.example"
        )
        assert contacts.contact_values(Contact("1", "", phone="+34612345678"), None)["name"] == (
            "+34 612 34 56 78"
        )


class TestPhones:
    @pytest.mark.parametrize(
        ("phone", "region", "shown", "key"),
        [
            ("+34612345678", None, "+34 612 34 56 78", "34612345678"),
            ("0151 23456789", "DE", "+49 1512 3456789", "4915123456789"),
            ("tel:+34612345678", None, "+34 612 34 56 78", "34612345678"),
            ("0151 23456789", None, "0151 23456789", "015123456789"),
            ("123", None, "123", None),
            ("", "DE", None, None),
            ("٠١٥١٢٣٤٥٦٧٨٩", "DE", "+49 1512 3456789", "4915123456789"),
        ],
    )
    def test_international_format(
        self, phone: str, region: str | None, shown: str | None, key: str | None
    ) -> None:
        contact = Contact("1", phone=phone)
        assert contacts.phone_of(contact, region) == shown
        assert contacts.phone_key(contact, region) == key

    @pytest.mark.parametrize(
        "typed",
        ["+34 612 345 678", "0034612345678", "34612345678", "612-34-56-78", "(+34) 612.345.678"],
    )
    def test_same_number_however_typed(self, typed: str) -> None:
        assert contacts.same_phone(Contact("1", phone="+34612345678"), typed, None)

    @pytest.mark.parametrize("typed", ["+34 612 345 679", "+49 612 345 678", "", "5678"])
    def test_another_number(self, typed: str) -> None:
        assert not contacts.same_phone(Contact("1", phone="+34612345678"), typed, None)

    @given(st.text(max_size=40), st.text(max_size=40), st.sampled_from([None, "DE", "BR"]))
    def test_nothing_breaks_them(self, one: str, other: str, region: str | None) -> None:
        contact = Contact("1", phone=one)
        contacts.phone_of(contact, region)
        contacts.same_phone(contact, other, region)
        pattern = contacts.phone_pattern(contact, region)
        assert pattern is None or pattern.isdigit()


class TestLogins:
    @pytest.mark.parametrize(
        ("contact", "login"),
        [
            (Contact("1", email="ann@example.com"), "ann@example.com"),
            (Contact("1", email="ann+tag@example.com"), "ann-tag@example.com"),
            (Contact("1", email="o'neil@example.com"), "o'neil@example.com"),
            (Contact("1", phone="+34612345678"), "34612345678"),
            (Contact("1", email="no email", phone="+34612345678"), "34612345678"),
            (Contact("1", "Name only"), None),
        ],
    )
    def test_by_example(self, contact: Contact, login: str | None) -> None:
        assert contacts.login_of(contact, None) == login

    @given(st.one_of(st.emails(), st.text(max_size=300)), st.text(max_size=30))
    def test_are_valid_on_every_version(self, email: str, phone: str) -> None:
        login = contacts.login_of(Contact("1", email=email, phone=phone), "DE")
        if login is not None:
            assert LOGIN.fullmatch(login)
            assert not login.startswith("+")
            spare = contacts.spare_login(login, "3/17")
            assert LOGIN.fullmatch(spare)
            assert spare != login


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [("open", 2), ("pending", 4), ("snoozed", 4), ("resolved", 5), ("bot", 1), ("?", 2)],
    )
    def test_map(self, status: Any, expected: int) -> None:
        assert conversations.status_of(Conversation("1", status=status), STATUSES) == expected

    @pytest.mark.parametrize(
        ("priority", "expected"),
        [("urgent", 5), ("high", 4), ("medium", 3), ("low", 2), (None, 3), ("?", 3)],
    )
    def test_priorities(self, priority: Any, expected: int) -> None:
        conversation = Conversation("1", priority=priority)
        assert conversations.priority_of(conversation, PRIORITIES) == expected

    @pytest.mark.parametrize(
        ("previous", "target", "current", "written"),
        [
            (2, 5, 2, 5),  # resolved
            (2, 5, 3, 5),  # an agent had planned it
            (2, 5, 6, None),  # an agent had closed it
            (2, 5, 5, None),  # an agent had solved it
            (5, 2, 5, 2),  # reopened
            (5, 2, 6, 2),  # reopened after GLPI closed it by itself
            (5, 4, 5, 4),  # reopened with a bot
            (5, 2, 2, None),  # an agent had reopened it
            (4, 2, 5, None),  # an agent had solved it, the customer merely woke the chat
            (2, 4, 6, None),
            (2, 4, 3, 4),
            (4, 4, 2, None),  # pending to snoozed
        ],
    )
    def test_an_agents_decision_stands(
        self, previous: int, target: int, current: int, written: int | None
    ) -> None:
        assert conversations.status_to_write(previous, target, current) == written


class TestTicketText:
    def test_the_way_back(self) -> None:
        url = "https://chat.example/app/accounts/1/conversations/7?x=1&y=2"
        html = conversations.content(
            SOURCE, Conversation("7", url=url, inbox_name="<Web>"), "<p>Hi</p>", "en"
        )
        assert Tags(html).addresses == [url]
        assert "Conversation 7 in &lt;Web&gt;" in html

    def test_without_an_address_it_is_named(self) -> None:
        conversation = Conversation("7")
        html = conversations.content(SOURCE, conversation, "", "en")
        reference = conversations.reference(SOURCE, conversation)
        assert reference == "chatwoot:3/conversations/7#"
        assert conversations.refers_to(html, reference)

    @pytest.mark.parametrize("url", ["https://c.example/app/accounts/1/conversations/7", None])
    @given(number=st.integers(min_value=0, max_value=10**6))
    def test_no_conversation_is_taken_for_another(self, url: str | None, number: int) -> None:
        def numbered(n: int) -> Conversation:
            return Conversation(str(n), url=url and f"{url[:-1]}{n}")

        html = conversations.content(SOURCE, numbered(number), "<p>x</p>", "en")
        for encoded in (html, escape(html), html.replace("&", "&#38;").replace("<", "&#60;")):
            own = conversations.reference(SOURCE, numbered(number))
            assert conversations.refers_to(encoded, own)
            other = conversations.reference(SOURCE, numbered(number // 10))
            assert number // 10 == number or not conversations.refers_to(encoded, other)

    @pytest.mark.parametrize("url", ["https://c.example/app/accounts/1/conversations/7", None])
    @pytest.mark.parametrize("encode", [str, escape, lambda html: escape(escape(html))])
    def test_what_a_customer_types_leads_to_no_ticket(
        self, url: str | None, encode: Callable[[str], str]
    ) -> None:
        own = Conversation("666", url=url and url.replace("/7", "/666"))
        other = conversations.reference(SOURCE, Conversation("7", url=url))
        typed = plain_to_html(f"See {other} and <p>{other}</p> &lt;p&gt; {other}")
        html = encode(conversations.content(SOURCE, own, typed, "en", customer=other))
        assert not conversations.refers_to(html, other)
        assert conversations.refers_to(html, conversations.reference(SOURCE, own))

    @pytest.mark.parametrize(
        ("subject", "text", "expected"),
        [
            ("Broken  printer", "Hi", "Broken printer"),
            (None, "My printer\nburns", "My printer burns"),
            (None, "w" * 300, "w" * 79 + "…"),
            (None, "", "Conversation 7"),
        ],
    )
    def test_title(self, subject: str | None, text: str, expected: str) -> None:
        conversation = Conversation("7", subject=subject)
        assert conversations.title(conversation, text, "en") == expected

    @given(st.datetimes(timezones=st.just(UTC)), st.integers(-12 * 4, 14 * 4))
    def test_server_time(self, moment: datetime, quarters: int) -> None:
        if 1970 <= moment.year < 9998:
            text = conversations.server_time(moment, quarters * 900)
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text)

    def test_server_time_is_the_servers(self) -> None:
        moment = datetime(2026, 7, 14, 23, 30, tzinfo=UTC)
        assert conversations.server_time(moment, 7200) == "2026-07-15 01:30:00"

    @pytest.mark.parametrize(
        ("offset", "shown"),
        [
            (7200, "2026-07-15 01:30 UTC+2"),
            (0, "2026-07-14 23:30 UTC"),
            (-12600, "2026-07-14 20:00 UTC-3:30"),
        ],
    )
    def test_times_in_texts_tell_their_zone(self, offset: int, shown: str) -> None:
        moment = datetime(2026, 7, 14, 23, 30, tzinfo=UTC)
        assert conversations.words_for_time(moment, offset) == shown


class TestMessages:
    def test_head_names_sender_and_time(self) -> None:
        message = Message("1", "outgoing", "Hi", sender=Sender("user", "5", "Bob <b>"))
        head = messages.head(message, "en", "2026-07-15 01:30 UTC+2")
        assert messages.followup(message, head, "en") == (
            "<p><strong>Bob &lt;b&gt; · 2026-07-15 01:30 UTC+2</strong></p><p>Hi</p>"
        )

    def test_an_empty_message_has_no_followup(self) -> None:
        assert messages.followup(Message("1", text=" "), "<p>Ann</p>", "en") == ""

    def test_from_the_phone_app_is_said_and_shown_as_it_was_typed(self) -> None:
        message = Message("1", "outgoing", "1. *so*\n2. <b>", from_phone=True)
        assert messages.head(message, "en") == "<p><strong>From the phone</strong></p>"
        assert messages.head(message, "fr") == "<p><strong>Depuis le téléphone</strong></p>"
        assert messages.body(message, "en") == "<p>1. *so*<br>2. &lt;b&gt;</p>"

    def test_attachments_are_links(self) -> None:
        message = Message(
            "1",
            attachments=(
                Attachment("file", "9", "https://c.example/a.pdf?x=1&y", "a&b.pdf", size=12_345),
                Attachment("location", "10", latitude=1.5, longitude=2.5, title="Here"),
                Attachment("contact", "11", title="+34 612"),
                Attachment("file", "12", "javascript:alert(1)", "x"),
                Attachment("file", "13", 'https://c.example/"onclick="x', "y"),
            ),
        )
        html = messages.body(message, "en", {"9": "stored as document 4"})
        tags = Tags(html)
        assert tags.addresses == [
            "https://c.example/a.pdf?x=1&y",
            "https://www.openstreetmap.org/?mlat=1.5&mlon=2.5#map=17/1.5/2.5",
            'https://c.example/"onclick="x',
        ]
        assert "a&b.pdf (12 KB) (stored as document 4)" in tags.text
        assert "Location Here (1.500000, 2.500000)" in tags.text
        assert "+34 612" in tags.text

    @pytest.mark.parametrize(
        ("size", "shown"),
        [
            (1, "1 B"),
            (1536, "1.5 KB"),
            (20 * 2**20, "20 MB"),
            (5 * 2**30, "5.0 GB"),
            (2**42, "4096 GB"),
        ],
    )
    def test_sizes(self, size: int, shown: str) -> None:
        html = messages.attachments(
            [Attachment("file", "1", "https://c.example/x", "x", size=size)], "en", {}
        )
        assert f"({shown})" in html

    def test_what_was_answered_in_a_form(self) -> None:
        message = Message(
            "1",
            "template",
            "Your order?",
            attributes={"submitted_values": [{"title": "Order", "value": "<7>"}, {"value": "x"}]},
        )
        text = Tags(messages.body(message, "en")).text
        assert "Order: <7>" in text
        assert "→ x" in text

    def test_a_survey(self) -> None:
        rated = {"csat_survey_response": {"rating": 5, "feedback_message": "Great"}}
        message = Message("1", "template", "Rate us", attributes={"submitted_values": rated})
        assert "→ 5 Great" in Tags(messages.body(message, "en")).text

    @settings(max_examples=50)
    @given(NASTY, NASTY, NASTY)
    def test_nothing_breaks_them(self, text: str, url: str, name: str) -> None:
        attachment = Attachment("file", "1", url, name)
        message = Message(
            "1", text=text, sender=Sender("contact", name=name), attachments=(attachment,)
        )
        head = messages.head(message, "fr", "2026-07-15 01:30 UTC")
        tags = Tags(messages.followup(message, head, "fr"))
        assert tags.tags <= {"p", "br", "strong", "ul", "li", "a"}
        assert not any(a.lower().startswith("javascript") for a in tags.addresses)
