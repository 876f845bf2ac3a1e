"""What every part of the processor works with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.sdk import Contact, Context, Conversation, Event, Message, Skip, readable
from hub_glpi import sentences
from hub_glpi.api import Glpi
from hub_glpi.config import Config


@dataclass(frozen=True, slots=True)
class Work:
    """The hub's context, the settings, and GLPI."""

    context: Context
    config: Config
    glpi: Glpi

    def html(self, content: str) -> str:
        """Content as this GLPI takes it.

        9.5 encodes ``<`` as ``&lt;`` and nothing else, so that an escaped tag would come back as a
        real one; as numbers they are left alone.
        """
        if self.config.version != 9:
            return content
        return content.replace("&lt;", "&#60;").replace("&gt;", "&#62;")

    def shown(self, message: Message, *, first: bool = False) -> Message:
        """The message with the part of its text that is shown; ``first`` if it opens its ticket."""
        return replace(message, text=readable(message, self.config.quotations, first=first))

    def say(self, sentence: str, **values: object) -> None:
        """Note a step in the delivery's story."""
        self.context.progress(sentence.format(**values))


def key(event: Event, number: str) -> str:
    """A local id for links. Two sources of one account may use the same numbers."""
    return f"{event.source.id}/{number}"


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
    """The local id of the event's contact."""
    return key(event, contact_of(event).id)


def conversation_key(event: Event) -> str:
    """The local id of the event's conversation."""
    return key(event, conversation_of(event).id)


def message_key(event: Event) -> str:
    """The local id of the event's message."""
    return key(event, message_of(event).id)
