"""Chatwoot's webhooks, made from recorded ones: each of another customer, signed, ready to send."""

from __future__ import annotations

import functools
import hashlib
import hmac
import itertools
import json
import re
import time
import uuid
from dataclasses import dataclass

from hub.sdk.testing import payloads

SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"


@dataclass(frozen=True, slots=True)
class _Recording:
    """A recorded payload, and the numbers in it that make it one customer's."""

    name: str
    contact: str = "501"
    conversation: str = "1201"
    message: str = "8101"
    email: str = "ben.okafor@example.com"

    def text(self, contact: int, conversation: int, message: int) -> str:
        """The payload with other numbers."""
        new = {
            self.contact: str(contact),
            self.conversation: str(conversation),
            self.message: str(message),
            self.email: f"customer.{contact}@example.com",
        }
        found = re.compile("|".join(rf"(?<![\w.]){re.escape(old)}(?!\w)" for old in new))
        return found.sub(lambda match: new[match.group()], _compact(self.name))


@functools.cache
def _compact(name: str) -> str:
    return json.dumps(payloads.load(name), ensure_ascii=False, separators=(",", ":"))


_CONTACT = _Recording(
    "contact_created_widget_email", contact="502", email="ann.lindqvist@example.com"
)
_CONVERSATION = _Recording("conversation_created_widget_with_message")
_FIRST_MESSAGE = _Recording("message_created_incoming_widget")
_REPLY = _Recording("message_created_outgoing_agent", message="8102")

_numbers = itertools.count(1)


class Customer:
    """Somebody who was never heard of before."""

    def __init__(self) -> None:
        self._number = 1_000_000 + next(_numbers)

    def contact_created(self) -> bytes:
        """The customer becomes known."""
        return self._body(_CONTACT)

    def conversation_created(self) -> bytes:
        """The customer opens a conversation."""
        return self._body(_CONVERSATION)

    def first_message(self) -> bytes:
        """The first message of that conversation."""
        return self._body(_FIRST_MESSAGE)

    def reply(self, number: int) -> bytes:
        """An agent's answer."""
        return self._body(_REPLY, message=number)

    def _body(self, recording: _Recording, message: int = 0) -> bytes:
        first = self._number * 1_000
        return recording.text(self._number, self._number, first + message).encode()


def request(path: str, body: bytes) -> bytes:
    """A whole HTTP request with a body as Chatwoot sends and signs it. Good for five minutes."""
    fields = {"Host": "127.0.0.1", **headers(body), "Content-Length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode() + body


def headers(body: bytes) -> dict[str, str]:
    """The headers of a body, signed now."""
    timestamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {
        "User-Agent": "Chatwoot",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Chatwoot-Delivery": str(uuid.uuid4()),
        "X-Chatwoot-Timestamp": timestamp,
        "X-Chatwoot-Signature": f"sha256={digest.hexdigest()}",
    }


def first_messages(path: str, number: int) -> list[bytes]:
    """Requests of so many new customers."""
    return [request(path, Customer().first_message()) for _ in range(number)]
