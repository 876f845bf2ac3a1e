"""Webhooks of a crowd: many contacts with a conversation each, as Chatwoot would send them."""

from __future__ import annotations

from typing import Any

from hub.sdk.testing import payloads


def contact(number: int, person: int | None = None) -> dict[str, Any]:
    """``contact_created``; ``person`` names who it is, where two contacts are one person."""
    person = number if person is None else person
    return {
        **payloads.load("contact_created_full"),
        "id": number,
        "name": f"Person {person}",
        "email": f"person{person}@example.com",
        "phone_number": None,
    }


def conversation(number: int, who: dict[str, Any]) -> dict[str, Any]:
    """``conversation_created`` of this contact, without a message."""
    return _about(payloads.load("conversation_created_widget_with_message"), number, who)


def resolved(number: int, who: dict[str, Any]) -> dict[str, Any]:
    """The conversation's change to resolved."""
    return _about(payloads.load("conversation_status_changed_open_to_resolved"), number, who)


def _about(data: dict[str, Any], number: int, who: dict[str, Any]) -> dict[str, Any]:
    data["id"] = number
    data["messages"] = []
    data["contact_inbox"]["contact_id"] = who["id"]
    data["meta"]["sender"] = {**who, "type": "contact"}
    return data


def message(number: int, talk: int, who: dict[str, Any]) -> dict[str, Any]:
    """``message_created`` by the contact in its conversation; it says "Message NUMBER."."""
    return {
        **payloads.load("message_created_incoming_widget"),
        "id": 90_000 + number,
        "content": f"Message {number}.",
        "sender": who,
        "conversation": conversation(talk, who),
    }
