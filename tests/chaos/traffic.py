"""Chatwoot's traffic: people, conversations and messages, in any number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.sdk.testing import payloads

#: Messages of each conversation; with its person and the conversation itself, that many events
#: and two more.
MESSAGES = 8
EVENTS = MESSAGES + 2


@dataclass(frozen=True)
class Webhook:
    """One request of Chatwoot; ``number`` is its conversation's."""

    number: int
    body: bytes


def webhooks(conversations: int) -> Iterator[list[Webhook]]:
    """For each conversation its webhooks, in the order in which they must be sent."""
    for number in range(conversations):
        told = [_contact(number), _conversation(number)]
        told += [_message(number, index) for index in range(MESSAGES)]
        yield [Webhook(number, json.dumps(body).encode()) for body in told]


def said(number: int) -> list[str]:
    """What is written in a conversation, in order."""
    return [f"Message {number}-{index}." for index in range(MESSAGES)]


def email(number: int) -> str:
    """The address of a conversation's person."""
    return f"person{number}@example.com"


def _contact(number: int) -> dict[str, Any]:
    return {
        **payloads.load("contact_created_full"),
        "id": 10_000 + number,
        "name": f"Person {number}",
        "email": email(number),
        "phone_number": None,
    }


def _conversation(number: int) -> dict[str, Any]:
    data = payloads.load("conversation_created_widget_with_message")
    data["id"] = 100_000 + number
    data["messages"] = []
    data["contact_inbox"]["contact_id"] = 10_000 + number
    data["meta"]["sender"] = {**_contact(number), "type": "contact"}
    return data


def _message(number: int, index: int) -> dict[str, Any]:
    return {
        **payloads.load("message_created_incoming_widget"),
        "id": 1_000_000 + number * MESSAGES + index,
        "content": said(number)[index],
        "sender": _contact(number),
        "conversation": _conversation(number),
    }
