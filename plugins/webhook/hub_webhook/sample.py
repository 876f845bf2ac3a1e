"""A sample event, with which the setup tries the settings."""

from __future__ import annotations

from datetime import datetime

from hub.sdk import MESSAGE_CREATED, Contact, Conversation, Event, Message, Sender, Source


def sample_event(now: datetime) -> Event:
    """A message with all that templates often use."""
    return Event(
        id=0,
        name=MESSAGE_CREATED,
        occurred_at=now,
        source=Source(0, "chatwoot", base_url="https://chat.example.com"),
        contact=Contact("1", "Sam Sample", "sam@example.com", "+15550100"),
        conversation=Conversation("1", inbox_id="1", inbox_name="Website", created_at=now),
        message=Message(
            "1", text="Hello!", sender=Sender("contact", "1", "Sam Sample"), created_at=now
        ),
    )
