"""Events to try a plugin with: a customer's story, and everything that Chatwoot was recorded to
send.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.inbox.sources.chatwoot import ChatwootSource
from hub.sdk.events import (
    CONTACT_CREATED,
    CONTACT_UPDATED,
    CONVERSATION_CREATED,
    CONVERSATION_RESOLVED,
    CONVERSATION_UPDATED,
    EVENT_NAMES,
    MESSAGE_CREATED,
    Change,
    Contact,
    Conversation,
    Event,
    Message,
    Sender,
    Source,
)
from hub.sdk.testing import payloads

BEGIN = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
SOURCE = Source(1, "chatwoot", "3", "https://chat.example.com")


def recorded(names: Collection[str] = EVENT_NAMES) -> list[Event]:
    """The events of all recorded Chatwoot webhooks, of these names, in the order of the index."""
    found: dict[str, Event] = {}
    for payload in payloads.names():
        parsed = ChatwootSource().parse(payloads.load(payload), SOURCE, BEGIN)
        for draft in parsed.drafts:
            # Two webhooks may tell one thing; the hub takes the first.
            found.setdefault(draft.dedupe_key, draft.event)
    return [
        replace(event, id=number, received_at=BEGIN)
        for number, event in enumerate(found.values(), 1)
        if event.name in names
    ]


def customer(
    names: Collection[str] = EVENT_NAMES, *, number: int = 1, source: Source = SOURCE
) -> list[Event]:
    """One customer's story, of these event names: she writes, is answered, and is content.

    Customers of different ``number`` share nothing. The same one may be told by two sources.
    """
    contact = Contact(
        str(500 + number),
        f"Ann Marlow {number}",
        f"ann{number}@example.com",
        f"+4915112345{number:03}",
        url=f"{source.base_url}/app/accounts/3/contacts/{500 + number}",
    )
    renamed = replace(contact, name=f"Ann Lee {number}")
    talk = Conversation(
        str(1200 + number),
        inbox_id="1",
        inbox_name="Website",
        channel="Channel::WebWidget",
        url=f"{source.base_url}/app/accounts/3/conversations/{1200 + number}",
        created_at=BEGIN,
    )
    urgent = replace(talk, priority="urgent")
    asks = _message(8000 + 10 * number, "My printer burns.", Sender("contact", contact.id, "Ann"))
    answers = replace(
        _message(8001 + 10 * number, "Use water.", Sender("user", "7", "Bob", "bob@example.com")),
        direction="outgoing",
    )
    told: list[dict[str, Any]] = [
        {"name": CONTACT_CREATED, "contact": contact},
        {"name": CONVERSATION_CREATED, "contact": contact, "conversation": talk},
        {"name": MESSAGE_CREATED, "contact": contact, "conversation": talk, "message": asks},
        {
            "name": CONTACT_UPDATED,
            "contact": renamed,
            "changes": {"name": Change(contact.name, renamed.name)},
        },
        {"name": MESSAGE_CREATED, "contact": renamed, "conversation": talk, "message": answers},
        {
            "name": CONVERSATION_UPDATED,
            "contact": renamed,
            "conversation": urgent,
            "changes": {"priority": Change(None, "urgent")},
        },
        {
            "name": CONVERSATION_RESOLVED,
            "contact": renamed,
            "conversation": replace(urgent, status="resolved"),
            "changes": {"status": Change("open", "resolved")},
        },
    ]
    events = []
    for minute, parts in enumerate(told, 1):
        moment = BEGIN + timedelta(minutes=minute)
        events.append(
            Event(
                id=10_000 * source.id + 100 * number + minute,
                occurred_at=moment,
                source=source,
                version=int(moment.timestamp() * 1_000_000),
                received_at=moment,
                **parts,
            )
        )
    return [event for event in events if event.name in names]


def _message(number: int, text: str, sender: Sender) -> Message:
    return Message(str(number), text=text, sender=sender, created_at=BEGIN)
