"""Canonical events: what happened, in words that are the same for every source.

An event is immutable. Its ``contact`` and ``conversation`` show the state at the moment when the
source built the event. That may be later than the change itself. ``changes`` tells what this event
changed, and ``version`` orders the states of one subject (see ``Event``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import msgspec

CONTACT_CREATED: Final = "contact.created"
CONTACT_UPDATED: Final = "contact.updated"
CONVERSATION_CREATED: Final = "conversation.created"
CONVERSATION_UPDATED: Final = "conversation.updated"
CONVERSATION_RESOLVED: Final = "conversation.resolved"
MESSAGE_CREATED: Final = "message.created"
MESSAGE_UPDATED: Final = "message.updated"

#: Every canonical event name, in the order in which the events usually happen.
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
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer. ``phone`` should be in the form E.164, but is given as the source has it.

    ``networks`` holds the lasting ids that messaging networks have for the customer:
    ``{"telegram": "308786162"}``. A visitor of a website has none. ``proven`` names the fields that
    this event proves to be the customer's own; only ``identifier`` and ``phone`` can be proven.
    All other values are unproven: somebody typed them into a form, or they are the From of a mail.
    Both since SDK 1.1.
    """

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
    networks: Mapping[str, str] = field(default_factory=dict)
    proven: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. ``id`` is the number that people see; ``url`` leads to it in the source.

    ``assignee`` is an agent's name; ``assignee_id`` (since SDK 1.1) is that agent's number in the
    source. ``auto_reply`` (since SDK 1.1) says that the conversation began with an automatic
    answer, such as an absence note.
    """

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
    assignee_id: str | None = None
    auto_reply: bool = False


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

    ``url`` may answer with a redirect that is valid for a few minutes only; follow it at once.
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
    """One message. ``text`` is the part worth reading: an email without its quotations.

    Since SDK 1.1: ``whole_text`` is the whole text of an email, with quotations, forwarded parts
    and signature; it is ``None`` if ``text`` is the whole text already. ``auto_reply`` marks an
    automatic answer, such as an absence note. ``from_phone`` marks a message that an agent sent
    with the app on the phone and not with the source. ``missing_files`` is the number of files
    that belonged to the message but that the source does not hand over.
    """

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
    whole_text: str | None = None
    auto_reply: bool = False
    from_phone: bool = False
    missing_files: int = 0


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

    ``version`` orders the states of one contact or one conversation. It is a time in microseconds
    since 1970, or ``None`` if the source does not tell it. A message event has the version of its
    conversation. A handler must not let an older version overwrite what a newer one has written.
    ``received_at`` is the moment when the hub took the event in. It is known while the event is
    handled, and is no part of the event's data.
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

    @property
    def is_automatic(self) -> bool:
        """Whether no person caused the event: it is an automatic answer, or it tells of a
        conversation that began with one. A message that a person writes later in such a
        conversation is not automatic. Since SDK 1.1.
        """
        began_so = self.conversation is not None and self.conversation.auto_reply
        if self.message is None:
            return began_so
        return self.message.auto_reply or (began_so and self.message.direction == "template")

    def changed(self, *names: str) -> bool:
        """Whether this event changed at least one of the named fields."""
        return any(name in self.changes for name in names)


#: The fields that SDK 1.0 does not know, by part. They are stored under a separate key: a hub of
#: version 1 must be able to read events that a newer hub has stored, but it refuses unknown fields
#: within a part.
_SINCE_1_1: Final[Mapping[str, Sequence[str]]] = {
    "contact": ("networks", "proven"),
    "conversation": ("assignee_id", "auto_reply"),
    "message": ("whole_text", "auto_reply", "from_phone", "missing_files"),
}
_LATER_KEY: Final = "since_1_1"


def _time_to_text(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def _time_from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def to_data(event: Event) -> dict[str, Any]:
    """The event as plain JSON data, as it is stored."""
    data: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(datetime,), enc_hook=dict)
    data["occurred_at"] = _time_to_text(event.occurred_at)
    del data["received_at"]
    for part in ("conversation", "message"):
        if data[part]:
            data[part]["created_at"] = _time_to_text(data[part]["created_at"])
    later: dict[str, dict[str, Any]] = {}
    for part, names in _SINCE_1_1.items():
        if data[part]:
            found = {name: data[part].pop(name) for name in names}
            if told := {name: value for name, value in found.items() if value}:
                later[part] = told
    if later:
        data[_LATER_KEY] = later
    return data


def from_data(data: Mapping[str, Any]) -> Event:
    """The event from the data that ``to_data`` wrote, here or in a newer hub.

    Fields that this version does not know are left out. The data is trusted, because it was
    validated when it arrived.
    """
    occurred_at = _time_from_text(data["occurred_at"])
    assert occurred_at is not None
    contact, conversation, message = (
        _part(data, name) for name in ("contact", "conversation", "message")
    )
    return Event(
        id=data["id"],
        name=data["name"],
        occurred_at=occurred_at,
        source=_known(Source, data["source"]),
        contact=_known(Contact, {**contact, "proven": frozenset(contact.get("proven", ()))})
        if contact
        else None,
        conversation=_known(
            Conversation,
            {
                **conversation,
                "labels": tuple(conversation.get("labels", ())),
                "created_at": _time_from_text(conversation.get("created_at")),
            },
        )
        if conversation
        else None,
        message=_known(
            Message,
            {
                **message,
                "sender": _known(Sender, message["sender"]),
                "attachments": tuple(_known(Attachment, item) for item in message["attachments"]),
                "created_at": _time_from_text(message.get("created_at")),
            },
        )
        if message
        else None,
        changes={name: _known(Change, item) for name, item in data.get("changes", {}).items()},
        version=data.get("version"),
    )


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A part of the event, with those of its fields that are stored under the separate key."""
    part: Mapping[str, Any] | None = data.get(name)
    return {**part, **data.get(_LATER_KEY, {}).get(name, {})} if part else None


_NAMES: Final[Mapping[type[Any], frozenset[str]]] = {
    kind: frozenset(item.name for item in fields(kind))
    for kind in (Contact, Conversation, Message, Sender, Attachment, Change, Source)
}


def _known(kind: type[_Part], data: Mapping[str, Any]) -> _Part:
    """An object of this kind from the data; fields that the kind does not have are left out."""
    if data.keys() <= _NAMES[kind]:
        return kind(**data)
    return kind(**{name: value for name, value in data.items() if name in _NAMES[kind]})
