"""The mappers, on examples and on whatever a machine can think of."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hub_leadsquared.mappers import contact as people
from hub_leadsquared.mappers.conversation import started_note
from hub_leadsquared.mappers.message import Entry
from hub_leadsquared.mappers.text import cut, fingerprint, length, lines, one_line
from hub_leadsquared.mappers.transcript import newest, transcript_note
from hub_leadsquared.notebook import MOST_COVERED, MOST_ENTRIES, MOST_TEXT, Draft, Notebook
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.sdk import Contact, Conversation

KOLKATA = ZoneInfo("Asia/Kolkata")
BEGIN = datetime(2026, 7, 14, tzinfo=UTC)
quick = settings(max_examples=60, deadline=None, derandomize=True)
LANGUAGES = st.sampled_from(["en", "fr", "pt_BR", "es"])
#: Texts of all lengths; long ones are made of few drawn characters, which is cheap.
TEXTS = st.builds(
    lambda text, times: text * times, st.text(max_size=20), st.sampled_from([1, 1, 3, 50, 400])
)


def entries() -> st.SearchStrategy[list[Entry]]:
    one = st.builds(
        lambda number, text, name, kind, files: Entry(
            id=str(number),
            at=(BEGIN + timedelta(minutes=number)).isoformat(timespec="seconds"),
            name=one_line(name),
            kind=kind,
            text=lines(text),
            files=tuple(files),
        ),
        st.integers(1, 5_000),
        TEXTS,
        st.text(max_size=80),
        st.sampled_from(["contact", "user", "bot", "assistant", "system"]),
        st.lists(st.sampled_from(["image", "file"]), max_size=5),
    )
    return st.lists(one, max_size=15, unique_by=lambda entry: entry.id)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "parts"),
        [
            ("Ann Lindqvist", ("Ann", "Lindqvist")),
            ("Ann", ("Ann", "")),
            ("  Ann   Maria\tde la Cruz ", ("Ann", "Maria de la Cruz")),
            ("", ("", "")),
            ("+49 151 12345678", ("", "")),
            ("4915112345678", ("", "")),
            ("ANN@example.com", ("", "")),
            ("José", ("José", "")),
            ("50 Cent", ("50", "Cent")),
            ("李 小龙", ("李", "小龙")),
        ],
    )
    def test_examples(self, name: str, parts: tuple[str, str]) -> None:
        contact = Contact(id="1", name=name, email="ann@example.com", phone="+4915112345678")
        assert people.name_parts(contact) == parts

    @quick
    @given(st.text(max_size=500))
    def test_whatever_comes_fits_and_is_one_line(self, name: str) -> None:
        first, last = people.name_parts(Contact(id="1", name=name))
        assert length(first) <= people.MAX_LENGTH
        assert length(last) <= people.MAX_LENGTH
        assert not {"\n", "\x00"} & set(first + last)
        assert first or not last


class TestPhones:
    @pytest.mark.parametrize(
        ("phone", "region", "stored", "digits"),
        [
            ("+4915112345678", None, "+49-15112345678", "4915112345678"),
            ("+49 (0151) 123-45678", None, "+49-15112345678", "4915112345678"),
            ("2nd: +4915112345678", None, "+49-15112345678", "4915112345678"),
            ("098765 43210", "IN", "+91-9876543210", "919876543210"),
            ("9876543210", None, None, None),
            ("+39 06 698 12345", None, "+39-0669812345", "390669812345"),
            ("12", "IN", None, None),
            ("", None, None, None),
        ],
    )
    def test_examples(
        self, phone: str, region: str | None, stored: str | None, digits: str | None
    ) -> None:
        contact = Contact(id="1", phone=phone)
        assert people.phone_of(contact, region) == stored
        assert people.phone_digits(contact, region) == digits

    @quick
    @given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    def test_every_country(self, country: str) -> None:
        number = phonenumbers.example_number(country)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        contact = Contact(id="1", phone=e164)
        stored = people.phone_of(contact, None)
        assert stored is not None
        code, _, national = stored.partition("-")
        assert code + national == e164
        assert national.isdigit()
        # What LeadSquared gives back is recognised, however it is written.
        for written in (stored, e164, e164[1:], f"00{e164[1:]}"):
            assert people.same_phone(contact, written, None)
        assert not people.same_phone(contact, e164[:-1] + str((int(e164[-1]) + 1) % 10), None)

    @quick
    @given(st.text(max_size=40), st.sampled_from([None, "IN", "US"]))
    def test_whatever_comes_is_a_number_or_none(self, text: str, region: str | None) -> None:
        contact = Contact(id="1", phone=text)
        stored, digits = people.phone_of(contact, region), people.phone_digits(contact, region)
        assert (stored is None) == (digits is None)
        if stored is not None and digits is not None:
            assert stored.replace("+", "").replace("-", "") == digits
        people.same_phone(contact, text, region)

    def test_no_number_is_like_no_other(self) -> None:
        assert not people.same_phone(Contact(id="1"), "", None)

    @pytest.mark.parametrize(
        ("code", "region"), [("91", "IN"), ("+1", "US"), ("", None), (None, None), ("999", None)]
    )
    def test_regions_of_calling_codes(self, code: Any, region: str | None) -> None:
        assert people.region_of(code) == region


class TestChanges:
    values = st.fixed_dictionaries(
        {
            name: st.sampled_from(["", "x", "y"])
            for name in (
                "FirstName",
                "LastName",
                "EmailAddress",
                "Mobile",
            )
        }
    )

    @quick
    @given(values, values)
    def test_writing_changes_makes_the_lead_what_the_contact_is(
        self, sent: dict[str, str], values: dict[str, str]
    ) -> None:
        patch = people.changes(sent, values, creation=False)
        held = {**sent, **patch}
        for name in ("EmailAddress", "Mobile"):
            assert held[name] == values[name]
        for name in ("FirstName", "LastName"):
            assert held[name] == (values if values["FirstName"] else sent)[name]
        assert people.changes(held, {**values, **held}, creation=False) == {}
        assert all(sent.get(name, "") != value for name, value in patch.items())

    @quick
    @given(values, values)
    def test_a_creation_only_adds(self, sent: dict[str, str], values: dict[str, str]) -> None:
        patch = people.changes(sent, values, creation=True)
        assert all(not sent[name] and value for name, value in patch.items())


class TestText:
    @quick
    @given(st.text(max_size=300), st.integers(0, 300))
    def test_a_cut_text_fits(self, text: str, room: int) -> None:
        short = cut(text, room)
        assert length(short) <= room
        assert short == text or short == "" or short.endswith("…")

    @quick
    @given(st.text(max_size=200))
    def test_a_note_is_recognised_after_its_trip(self, note: str) -> None:
        from html import escape

        trip = escape(note).replace("\n", "\r\n") + "  "
        assert fingerprint(trip) == fingerprint(note)

    def test_different_notes_differ(self) -> None:
        assert fingerprint("Conversation: 42") != fingerprint("Conversation: 43")

    def test_length_counts_as_leadsquared_does(self) -> None:
        assert length("a😀") == 3 == len("a😀".encode("utf-16-le")) // 2


class TestNotes:
    @quick
    @given(entries(), LANGUAGES, st.integers(0, 500), st.text(max_size=80), st.text(max_size=400))
    def test_a_transcript_always_fits(
        self, found: list[Entry], language: str, left_out: int, inbox: str, url: str
    ) -> None:
        talk = Conversation(id="42", inbox_name=inbox, url=url)
        note = transcript_note(
            talk,
            found,
            left_out=left_out,
            brand="Chatwoot",
            zone=KOLKATA,
            zone_name="Asia/Kolkata",
            language=language,
        )
        assert length(note) <= 2_000

    @quick
    @given(entries(), LANGUAGES, st.integers(100, 1_800))
    def test_the_newest_are_shown_first_and_fit(
        self, found: list[Entry], language: str, room: int
    ) -> None:
        shown = newest(found, zone=KOLKATA, language=language, room=room)
        assert length("\n\n".join(shown)) <= room
        assert bool(shown) == bool(found)
        ordered = sorted(found, key=lambda entry: entry.order, reverse=True)
        for entry, text in zip(ordered, shown, strict=False):
            assert entry.shown(KOLKATA, language).startswith(text.removesuffix("…"))

    def test_all_are_shown_if_they_fit(self) -> None:
        found = [
            Entry(str(n), f"2026-07-14T10:0{n}:00+00:00", "Ann", "contact", "x") for n in (1, 2)
        ]
        shown = newest(found, zone=UTC, language="en", room=1_800)
        assert shown == ["[2026-07-14 10:02] Ann: x", "[2026-07-14 10:01] Ann: x"]

    def test_a_long_head_leaves_less_room(self) -> None:
        talk = Conversation(id="4" * 60, inbox_name="i" * 90, url="https://x.example/" + "y" * 282)
        found = [Entry(str(n), BEGIN.isoformat(), "Ann", "contact", "z" * 200) for n in range(9)]
        note = transcript_note(
            talk, found, left_out=9, brand="b" * 90, zone=UTC, zone_name="UTC", language="fr"
        )
        assert 1_900 < length(note) <= 2_000
        assert talk.url in note

    def test_one_long_message_takes_all_of_the_room(self) -> None:
        found = [Entry("1", BEGIN.isoformat(), "Ann", "contact", "z" * 5_000)]
        (shown,) = newest(found, zone=UTC, language="en", room=1_800)
        assert length(shown) == 1_800

    def test_a_long_link_is_left_out_rather_than_cut(self) -> None:
        talk = Conversation(id="42", url="https://chat.example/" + "x" * 300)
        note = started_note(talk, BEGIN, brand="Chatwoot", zone=UTC, zone_name="UTC", language="es")
        assert note == (
            "Nueva conversación en Chatwoot\nConversación: 42\nCreada: 2026-07-14 00:00:00 (UTC)"
        )

    def test_senders_without_a_name_are_named_by_their_kind(self) -> None:
        said = [
            Entry("1", BEGIN.isoformat(), "", kind, "x").shown(UTC, "pt_BR").split("] ")[1]
            for kind in ("contact", "user", "bot", "assistant", "system")
        ]
        assert said == ["Cliente: x", "Agente: x", "Robô: x", "Robô: x", "Sistema: x"]


class TestNotebook:
    @quick
    @given(st.lists(entries(), max_size=4))
    def test_it_stays_small_and_loses_no_count(self, batches: list[list[Entry]]) -> None:
        book = Notebook()
        for batch in batches:
            book = book.with_entries(batch)
        assert len(book.entries) <= MOST_ENTRIES
        assert len(book.covered) <= MOST_COVERED
        assert sum(len(e.text) for e in book.entries[1:]) <= MOST_TEXT
        different = {entry.id for batch in batches for entry in batch}
        assert len(book.entries) + book.left_out == len(different)
        assert list(book.entries) == sorted(book.entries, key=lambda entry: entry.order)

    @quick
    @given(entries(), st.booleans())
    def test_it_survives_being_stored(self, found: list[Entry], drafting: bool) -> None:
        book = Notebook().with_entries(found).of_inbox("Shop")
        if drafting:
            ids = tuple(entry.id for entry in book.entries)
            book = book.drafted(Draft("note", "2026-07-14T10:00:00+00:00", 7, len(ids), ids))
        assert Notebook.of(json.loads(json.dumps(book.as_data()))) == book

    @quick
    @given(entries(), entries())
    def test_what_was_delivered_does_not_come_back(
        self, old: list[Entry], new: list[Entry]
    ) -> None:
        book = Notebook().with_entries(old)
        shown = book.entries
        ids = tuple(entry.id for entry in shown)
        book = book.drafted(Draft("n", "t", 1, len(ids), ids)).delivered()
        assert (book.entries, book.left_out, book.posted, book.draft) == ((), 0, 1, None)
        again = book.with_entries([*shown, *new])
        assert not {entry.id for entry in again.entries} & {entry.id for entry in old}

    def test_an_empty_store_is_an_empty_book(self) -> None:
        assert Notebook.of(None) == Notebook.of({}) == Notebook()

    def test_what_another_version_has_kept_is_read_as_far_as_it_is_known(self) -> None:
        """After a rollback, or while two versions run."""
        entry = Entry("1", BEGIN.isoformat(), "Ann", "contact", "Hello")
        book = Notebook(entries=(entry,), posted=1)
        newer = json.loads(json.dumps(book.as_data()))
        newer["mood"] = "good"
        newer["entries"][0]["reactions"] = []
        del newer["covered"], newer["entries"][0]["files"]
        assert Notebook.of(newer) == book
