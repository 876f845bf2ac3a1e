"""Events of one customer, as a source tells them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.sdk import Attachment, Contact, Conversation, Event, Message, Sender, Source

_BEGIN = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)


@dataclass
class Story:
    """One customer with one conversation; every event is a minute later than the one before."""

    contact: Contact = field(
        default_factory=lambda: Contact("17", "Ann Lee", "ann@example.com", "+4915112345678")
    )
    conversation: str = "1201"
    _minutes: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def happens(self, name: str, message: Message | None = None, status: Any = None) -> Event:
        moment = _BEGIN + timedelta(minutes=next(self._minutes))
        return Event(
            id=0,
            name=name,
            occurred_at=moment,
            source=Source(0, "events"),
            contact=self.contact,
            conversation=None
            if name.startswith("contact.")
            else Conversation(
                self.conversation,
                status or "open",
                url=f"https://chat.example/app/accounts/1/conversations/{self.conversation}",
                created_at=_BEGIN,
            ),
            message=message,
            version=int(moment.timestamp() * 1_000_000),
        )

    def says(self, text: str, *attachments: Attachment) -> Event:
        number = next(self._minutes)
        return self.happens(
            "message.created",
            Message(
                str(1000 + number),
                text=text,
                sender=Sender("contact", self.contact.id, self.contact.name),
                created_at=_BEGIN + timedelta(minutes=number),
                attachments=attachments,
            ),
        )
