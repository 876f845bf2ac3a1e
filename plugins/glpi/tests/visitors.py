"""Visitors who name others, for the tests of what they may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Change, Contact, Done, Skip

SUPER_ADMIN, SELF_SERVICE, TECHNICIAN = 4, 1, 6
NUMBER, OTHER_NUMBER = "+34612345678", "+34699999999"
PHONE = frozenset({"phone"})
SITE, MAIL, WHATSAPP = "Channel::WebWidget", "Channel::Email", "Channel::Whatsapp"


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
