"""What is shown of a mail: its own words, at first its signature, what it forwards."""

from __future__ import annotations

import pytest
import quotequail

from hub.sdk import Message, Quotations, readable

OWN = "Still broken."
SIGNATURE = "\n\n-- \nPetra Post\nTel. 030 123456"
QUOTED = "\n\nOn Sat, 28 Nov 2026 at 15:00 Support <s@acme.example> wrote:\n> We look.\n> Regards"
QUOTATIONS = [
    QUOTED,
    "\n\nAm Sa., 28. Nov. 2026 um 15:00 schrieb Support <s@acme.example>:\n\n> Wir schauen.",
    "\n\nLe sam. 28 nov. 2026 à 15:00, Support <s@acme.example> a écrit :\n> On regarde.",
    "\n\nEl sáb, 28 nov 2026 a las 15:00, Support (<s@acme.example>) escribió:\n> Miramos.",
    "\n\nEm sáb., 28 de nov. de 2026 às 15:00, Support <s@acme.example> escreveu:\n> Veremos.",
    "\n\nFrom: Support <s@acme.example>\nSent: Saturday, November 28, 2026 3:00 PM\n"
    "To: Petra\nSubject: RE: Printer\n\nWe look.",
    "\n\nVon: Support <s@acme.example>\nGesendet: Samstag, 28. November 2026 15:00\n"
    "An: Petra\nBetreff: AW: Drucker\n\nWir schauen.",
]
FORWARDED = (
    "please handle\n\n---------- Forwarded message ---------\nFrom: Client <c@other.example>\n"
    "Date: Fri, 27 Nov 2026\nSubject: Contract\nTo: Boss\n\nI want to cancel my contract."
)


def mail(
    text: str, whole: str | None = None, subject: str = "Printer", answers: str | None = "x@y"
) -> Message:
    headers = {"subject": subject} | ({"in_reply_to": answers} if answers else {})
    return Message(
        "1",
        text=text,
        whole_text=whole,
        content_type="incoming_email",
        attributes={"email": headers},
    )


class TestForwarded:
    @pytest.mark.parametrize("quotations", ["cut", "source", "whole"])
    @pytest.mark.parametrize(
        ("subject", "answers"),
        [
            ("Fwd: Contract", None),
            ("WG: Vertrag", "x@y"),
            ("Contract", None),
            ("RV: Contrato", "x"),
        ],
    )
    def test_is_kept(self, quotations: Quotations, subject: str, answers: str | None) -> None:
        message = mail("please handle", FORWARDED, subject, answers)
        assert readable(message, quotations) == FORWARDED

    def test_is_not_what_an_answer_carries(self) -> None:
        message = mail("please handle", FORWARDED, "Re: Fwd: Contract")
        assert readable(message) == "please handle"


class TestSignature:
    @pytest.mark.parametrize("quotations", ["cut", "source"])
    def test_stays_in_a_mail_that_answers_none(self, quotations: Quotations) -> None:
        message = mail(OWN, OWN + SIGNATURE, answers=None)
        assert readable(message, quotations) == OWN + SIGNATURE

    @pytest.mark.parametrize("quoted", QUOTATIONS)
    def test_stays_in_the_first_mail_while_the_quotation_goes(self, quoted: str) -> None:
        message = mail(OWN, OWN + SIGNATURE + quoted)
        assert readable(message, first=True) == OWN + SIGNATURE

    def test_goes_with_the_quotation_later(self) -> None:
        assert readable(mail(OWN, OWN + SIGNATURE + QUOTED)) == OWN


class TestQuotation:
    @pytest.mark.parametrize("quoted", QUOTATIONS)
    def test_that_the_source_has_left_is_cut(self, quoted: str) -> None:
        message = mail(OWN + quoted)
        assert readable(message, "cut") == OWN
        assert readable(message, "source") == OWN + quoted

    def test_is_kept_when_wanted(self) -> None:
        assert readable(mail(OWN, OWN + QUOTED), "whole") == OWN + QUOTED

    def test_an_answer_beneath_it_stays(self) -> None:
        text = QUOTED.strip() + "\n\nThis did not help."
        assert readable(mail(text)) == "This did not help."

    def test_an_answer_between_its_lines_stays(self) -> None:
        text = "> Is it broken?\nYes.\n> Since when?\nYesterday."
        assert readable(mail(text)) == text

    def test_long_lines_come_back_as_they_were(self) -> None:
        long = "word " * 100 + "end"
        assert readable(mail(long + QUOTED)) == long

    def test_is_not_looked_for_in_what_would_take_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        monkeypatch.setattr(quotequail, "unwrap", asked.append)
        lines = "\n".join(["From: a"] * 5_000)
        assert readable(mail(lines)) == lines
        assert readable(mail("own", lines), first=True) == "own"
        readable(mail("Op " + "heeft geschreven " * 1_000))
        assert [len(text) < 300 for text in asked] == [True]


def test_other_messages_are_their_text() -> None:
    text = OWN + QUOTED
    assert readable(Message("1", text=text)) == text
    assert readable(Message("1", "outgoing", text, whole_text="more")) == text
