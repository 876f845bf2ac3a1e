"""What every part of the processor works with."""

from __future__ import annotations

from dataclasses import dataclass

from hub.sdk import Contact, Context, Conversation, Event, Message, Skip
from hub_leadsquared import sentences
from hub_leadsquared.api import LeadSquared
from hub_leadsquared.config import Config


@dataclass(frozen=True, slots=True)
class Work:
    """The hub's context, the settings, and LeadSquared."""

    context: Context
    config: Config
    leadsquared: LeadSquared

    def say(self, sentence: str, **values: object) -> None:
        """Note a step in the delivery's story."""
        self.context.progress(sentence.format(**values))


def reason_against(work: Work, event: Event) -> str | None:
    """Why nothing new is begun because of an event, if the settings say so."""
    if event.contact is not None and event.contact.blocked and not work.config.blocked_contacts:
        return sentences.BLOCKED_LEFT_OUT
    if event.is_automatic and not work.config.automatic_replies:
        return sentences.AUTOMATIC_LEFT_OUT
    return None


def contact_of(event: Event) -> Contact:
    """The event's contact.

    :raises Skip: there is none.
    """
    if event.contact is None:
        raise Skip(sentences.NO_CONTACT)
    return event.contact


def conversation_of(event: Event) -> Conversation:
    """The event's conversation.

    :raises Skip: there is none.
    """
    if event.conversation is None:
        raise Skip(sentences.NO_CONVERSATION)
    return event.conversation


def message_of(event: Event) -> Message:
    """The event's message.

    :raises Skip: there is none.
    """
    if event.message is None:
        raise Skip(sentences.NO_MESSAGE)
    return event.message


def contact_key(event: Event) -> str:
    """The local id of the event's contact. Two sources of one account may use the same numbers."""
    return f"{event.source.id}/{contact_of(event).id}"


def conversation_key(event: Event) -> str:
    """The local id of the event's conversation."""
    return f"{event.source.id}/{conversation_of(event).id}"
