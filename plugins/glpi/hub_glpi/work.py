"""What every part of the processor works with."""

from __future__ import annotations

from dataclasses import dataclass

from hub.sdk import Context, Event, Skip
from hub_glpi import sentences
from hub_glpi.api import Glpi
from hub_glpi.config import Config


@dataclass(frozen=True, slots=True)
class Work:
    """The hub's context, the settings, and GLPI."""

    context: Context
    config: Config
    glpi: Glpi

    def say(self, sentence: str, **values: object) -> None:
        """Note a step in the delivery's story."""
        self.context.progress(sentence.format(**values))


def key(event: Event, number: str) -> str:
    """A local id for links. Two sources of one account may use the same numbers."""
    return f"{event.source.id}/{number}"


def contact_key(event: Event) -> str:
    """The local id of the event's contact.

    :raises Skip: there is none.
    """
    if event.contact is None:
        raise Skip(sentences.NO_CONTACT)
    return key(event, event.contact.id)


def conversation_key(event: Event) -> str:
    """The local id of the event's conversation.

    :raises Skip: there is none.
    """
    if event.conversation is None:
        raise Skip(sentences.NO_CONVERSATION)
    return key(event, event.conversation.id)


def message_key(event: Event) -> str:
    """The local id of the event's message.

    :raises Skip: there is none.
    """
    if event.message is None:
        raise Skip(sentences.NO_MESSAGE)
    return key(event, event.message.id)
