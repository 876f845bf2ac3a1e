"""Canonical events: what happened, in words that are the same for every source.

An event is immutable. Its ``contact`` and ``conversation`` show the state when the source built
the event, which may be later than the change itself; ``changes`` is what this event changed, and
``version`` orders the states of one subject (see ``Event.version``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

CONTACT_CREATED: Final = "contact.created"
CONTACT_UPDATED: Final = "contact.updated"
CONVERSATION_CREATED: Final = "conversation.created"
CONVERSATION_UPDATED: Final = "conversation.updated"
CONVERSATION_RESOLVED: Final = "conversation.resolved"
MESSAGE_CREATED: Final = "message.created"
MESSAGE_UPDATED: Final = "message.updated"

#: Every canonical event name, in the order in which a subject usually lives through them.
EVENT_NAMES: Final = (
    CONTACT_CREATED,
    CONTACT_UPDATED,
    CONVERSATION_CREATED,
    MESSAGE_CREATED,
    MESSAGE_UPDATED,
    CONVERSATION_UPDATED,
    CONVERSATION_RESOLVED,
)

Status = Literal["open", "pending", "snoozed", "resolved"]
Priority = Literal["low", "medium", "high", "urgent"]
Direction = Literal["incoming", "outgoing", "template"]
SenderKind = Literal["contact", "user", "bot", "assistant", "system"]


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer. ``phone`` is meant as E.164 but comes as the source has it."""

    id: str
    name: str = ""
    email: str | None = None
    phone: str | None = None
    identifier: str | None = None
    company: str | None = None
    city: str | None = None
    country_code: str | None = None
    blocked: bool = False
    url: str | None = None
    custom_attributes: Mapping[str, Any] = field(default_factory=dict)
    additional_attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. ``id`` is the number people see; ``url`` leads to it in the source."""

    id: str
    status: Status = "open"
    priority: Priority | None = None
    inbox_id: str | None = None
    inbox_name: str | None = None
    channel: str | None = None
    subject: str | None = None
    assignee: str | None = None
    team: str | None = None
    labels: tuple[str, ...] = ()
    url: str | None = None
    created_at: datetime | None = None
    custom_attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote a message; ``system`` stands for templates, automations and campaigns."""

    kind: SenderKind
    id: str | None = None
    name: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, or something without a file: a place, a contact card, a link.

    ``url`` may answer with a redirect that is good for minutes only; follow it at once.
    """

    kind: str
    id: str | None = None
    url: str | None = None
    name: str | None = None
    content_type: str | None = None
    size: int | None = None
    title: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``text`` is the part worth reading: an email without what it quotes."""

    id: str
    direction: Direction = "incoming"
    text: str = ""
    private: bool = False
    deleted: bool = False
    content_type: str = "text"
    sender: Sender = Sender(kind="system")
    created_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A value before and after the event."""

    previous: Any
    current: Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where the event came from: the hub's source id, its kind, and the account number there."""

    id: int
    kind: str
    account_id: str | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    ``version`` orders the states of one contact or one conversation, in microseconds since 1970;
    ``None`` where the source does not tell. That of a message event is its conversation's. A
    handler must not let an older version overwrite what a newer one has written. ``received_at``
    is when the hub took the event in; it is known while the event is handled, and is no part of
    the event's data.
    """

    id: int
    name: str
    occurred_at: datetime
    source: Source
    contact: Contact | None = None
    conversation: Conversation | None = None
    message: Message | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)
    version: int | None = None
    received_at: datetime | None = None

    @property
    def handler_name(self) -> str:
        """The name of the processor method that takes this event."""
        return "handle_" + self.name.replace(".", "_")

    def changed(self, *names: str) -> bool:
        """Whether this event changed at least one of the named fields."""
        return any(name in self.changes for name in names)


def _time_to_text(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _time_from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def to_data(event: Event) -> dict[str, Any]:
    """The event as plain JSON data: what is stored, and what the generic source takes."""
    data: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(datetime,), enc_hook=dict)
    data["occurred_at"] = _time_to_text(event.occurred_at)
    del data["received_at"]
    for part in ("conversation", "message"):
        if data[part]:
            data[part]["created_at"] = _time_to_text(data[part]["created_at"])
    return data


def from_data(data: Mapping[str, Any]) -> Event:
    """The event of what ``to_data`` wrote. The data is trusted: it was validated on arrival."""
    contact, conversation, message = (
        data.get("contact"),
        data.get("conversation"),
        data.get("message"),
    )
    occurred_at = _time_from_text(data["occurred_at"])
    assert occurred_at is not None
    return Event(
        id=data["id"],
        name=data["name"],
        occurred_at=occurred_at,
        source=Source(**data["source"]),
        contact=Contact(**contact) if contact else None,
        conversation=Conversation(
            **{
                **conversation,
                "labels": tuple(conversation.get("labels", ())),
                "created_at": _time_from_text(conversation.get("created_at")),
            }
        )
        if conversation
        else None,
        message=Message(
            **{
                **message,
                "sender": Sender(**message["sender"]),
                "attachments": tuple(Attachment(**item) for item in message["attachments"]),
                "created_at": _time_from_text(message.get("created_at")),
            }
        )
        if message
        else None,
        changes={name: Change(**change) for name, change in data.get("changes", {}).items()},
        version=data.get("version"),
    )
