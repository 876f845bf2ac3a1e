"""Messages: they are kept for the transcript, without a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.sdk import Done, Event, Inboxes, Message, Notes, Outcome, Skip
from hub_leadsquared import sentences
from hub_leadsquared.mappers.message import Entry
from hub_leadsquared.notebook import Notebook
from hub_leadsquared.work import (
    Work,
    conversation_key,
    conversation_of,
    message_of,
    reason_against,
)

_KIND: Final = "messages"


class Messages:
    """Keeps the messages of conversations that are not resolved yet."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._notes = Notes(work.context, _KIND)

    def remember(self, events: Sequence[Event]) -> list[Outcome]:
        """Keep new messages of one conversation."""
        config = self._work.config
        if config.started_enabled and not config.transcript_enabled:
            self._learn_inbox(events[0])
        if not config.transcript_enabled:
            return [Skip(sentences.TRANSCRIPT_OFF) for _ in events]
        book = self.notebook(events[0])
        outcomes: list[Outcome] = []
        entries: list[Entry] = []
        for event in events:
            message = message_of(event)
            reason = reason_to_leave_out(message)
            if reason is None and not entries:
                reason = self.reason_against(event, book)
            if reason is not None:
                outcomes.append(Skip(reason))
            elif book.has_covered(message.id):
                outcomes.append(Skip(sentences.MESSAGE_SENT_BEFORE))
            else:
                is_first = not entries and book.begins_with(message.id)
                entries.append(self.entry(message, event, first=is_first))
                outcomes.append(Done(sentences.MESSAGE_KEPT))
        if entries:
            inbox = conversation_of(events[0]).inbox_name
            if not book.inbox:
                self._learn_inbox(events[0])
            self.keep(events[0], book.with_entries(entries).of_inbox(inbox))
        return outcomes

    def revise(self, event: Event) -> Done:
        """Bring a message that waits for the transcript to what it is now.

        :raises Skip: it does not wait.
        """
        message, book = message_of(event), self.notebook(event)
        if not book.holds(message.id):
            raise Skip(
                sentences.MESSAGE_SENT_BEFORE
                if book.has_covered(message.id)
                else sentences.MESSAGE_UNKNOWN
            )
        if message.deleted:
            self.keep(event, book.without(message.id))
            return Done(sentences.MESSAGE_REMOVED)
        entry = self.entry(message, event, first=book.begins_with(message.id))
        if entry in book.entries:
            raise Skip(sentences.NOTHING_CHANGED)
        self.keep(event, book.with_entries([entry]))
        return Done(sentences.MESSAGE_CHANGED)

    def entry(self, message: Message, event: Event, *, first: bool = False) -> Entry:
        """What a transcript needs of a message, as the settings have it. The ``first`` one of a
        conversation keeps its signature."""
        config = self._work.config
        return Entry.of(message, event, config.language, config.quotations, first=first)

    def reason_against(self, event: Event, book: Notebook) -> str | None:
        """Why a conversation of which LeadSquared is to hear nothing yet stays unheard of."""
        if book.entries or book.posted or self._links.get("started", conversation_key(event)):
            return None
        return reason_against(self._work, event)

    def notebook(self, event: Event) -> Notebook:
        """What is remembered of the event's conversation."""
        return Notebook.of(self._notes.get(conversation_key(event)))

    def keep(self, event: Event, book: Notebook) -> None:
        """Remember this of the event's conversation."""
        self._notes.keep(conversation_key(event), book.as_data())

    def _learn_inbox(self, event: Event) -> None:
        """The name of the inbox is for conversations that come before their first message."""
        conversation = conversation_of(event)
        Inboxes(self._work.context).name(
            event.source, conversation.inbox_id, conversation.inbox_name
        )


def reason_to_leave_out(message: Message) -> str | None:
    """Why a message is not part of transcripts, if it is not."""
    if message.private:
        return sentences.PRIVATE_LEFT_OUT
    if message.direction == "template":
        return sentences.TEMPLATE_LEFT_OUT
    return sentences.MESSAGE_REMOVED if message.deleted else None
