"""A conversation as a real Chatwoot sends it: nine webhooks of the recorded day, made another's."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from tests.real.recording import Webhook, began_at, webhooks

_STEP = "api: macro, rule, label, team"
_CONTACT, _CONVERSATION, _CONTACT_INBOX = 8343, 148, 8476
_QUESTION, _ANSWER = 59005, 59008
_EMAIL, _PHONE = "rita.day1@example.com", "+4915958774710"
_ISO = re.compile(r"2026-11-28T\d\d:\d\d:\d\d(?:\.\d+)?Z")
_UNIX = re.compile(r"(?<=[:\[,])17958\d{5}(?=[,}\]])")


@dataclass(frozen=True, slots=True)
class _Told:
    """One recorded webhook, and which message of the conversation it tells, from 0."""

    webhook: Webhook
    message: int = 0


@cache
def _recorded() -> tuple[_Told, ...]:
    """The whole conversation: opened, three messages, solved. Chatwoot tells of each incoming
    message a second time, as activity of the contact."""

    def one(event: str, number: int | None = None, message: int = 0) -> _Told:
        for webhook in webhooks():
            body = webhook.body
            of_it = str(_CONTACT) in webhook.raw and webhook.step == _STEP
            if of_it and body["event"] == event and number in (None, body["id"]):
                return _Told(webhook, message)
        raise LookupError(event)

    activity = one("contact_updated")
    solved = [
        _Told(webhook)
        for webhook in webhooks()
        if webhook.step == _STEP and webhook.body.get("status") == "resolved"
    ]
    return (
        one("contact_created"),
        one("conversation_created"),
        one("message_created", _QUESTION, 0),
        activity,
        one("message_created", _ANSWER, 1),
        one("message_created", _QUESTION, 2),
        activity,
        *solved,
    )


class Customer:
    """Somebody with an email and a phone number who was never heard of before."""

    def __init__(self, number: int) -> None:
        self.number = 2_000_000 + number
        self.email = f"customer.{self.number}@example.com"
        self.phone = f"+491595{self.number:07d}"

    def opening(self) -> Sequence[bytes]:
        """The two webhooks from which a ticket comes: the conversation, and its first message."""
        told = _recorded()
        return [self._body(told[1]), self._body(told[2])]

    def whole(self) -> Sequence[bytes]:
        """All nine."""
        return [self._body(told) for told in _recorded()]

    def _body(self, told: _Told) -> bytes:
        first = self.number * 10
        new = {
            str(_CONTACT): str(self.number),
            str(_CONVERSATION): str(self.number),
            str(_CONTACT_INBOX): str(self.number),
            _EMAIL: self.email,
            _PHONE: self.phone,
            **{str(59000 + n): str(first + n) for n in (5, 6, 7, 8)},
        }
        if told.message == 2:
            new[str(_QUESTION)] = str(first + 9)
        found = re.compile("|".join(rf"(?<![\w.]){re.escape(old)}(?![\w.])" for old in new))
        text = found.sub(lambda match: new[match.group()], told.webhook.raw)
        moved = time.time() - began_at() - told.webhook.seconds

        def iso(match: re.Match[str]) -> str:
            moment = datetime.fromisoformat(match.group()).timestamp() + moved
            return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"

        text = _ISO.sub(iso, text)
        return _UNIX.sub(lambda match: str(int(int(match.group()) + moved)), text).encode()
