"""Resolved conversations: their messages become one activity on the lead.

A conversation that is resolved again gets another one, with what was said since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.sdk import MESSAGE_CREATED, Done, Event, Link, NeedsAttention, Postpone, Rejected, Skip
from hub_leadsquared import sentences
from hub_leadsquared.conversations import KIND as STARTED
from hub_leadsquared.mappers.message import Entry
from hub_leadsquared.mappers.transcript import transcript_note
from hub_leadsquared.messages import Messages, reason_to_leave_out
from hub_leadsquared.notebook import Draft, Notebook
from hub_leadsquared.notices import Notices
from hub_leadsquared.people import People
from hub_leadsquared.posts import Post, Posts
from hub_leadsquared.work import Work, conversation_key, conversation_of

_KIND: Final = "transcript"


class Transcripts:
    """Posts the transcripts of resolved conversations."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._messages = Messages(work)
        self._notices = Notices(work)

    def resolved(self, event: Event) -> Done:
        """Post what no transcript has shown yet.

        :raises Skip: it is switched off, or nothing is new.
        :raises KeepBack: the contact is not known yet.
        :raises Postpone: the last messages may still be on their way.
        """
        if not self._work.config.transcript_enabled:
            raise Skip(sentences.TRANSCRIPT_OFF)
        self._code()
        if conversation_of(event).status != "resolved":
            raise Skip(sentences.NOT_RESOLVED)
        book, earlier = self._messages.notebook(event), None
        if book.draft is not None:
            # A try was cut off, or given up; its note goes first, as it was.
            earlier = self._deliver(event, book, book.draft)
            if book.draft.event == event.id:
                return earlier
            book = self._messages.notebook(event)
        self._wait_for_the_last(event)
        if reason := self._messages.reason_against(event, book):
            raise Skip(reason)
        book = book.with_entries(self._overtaken(event))
        if not book.entries and book.posted:
            if earlier is not None:
                return earlier
            raise Skip(sentences.NOTHING_NEW)
        # Before anything is drafted: without a lead there is nothing to post to.
        lead = People(self._work).ensure(event)
        remarks = self._notices.due(event, lead, self._told(event, book))
        draft = self._draft(event, book, self._notices.texts(remarks))
        book = book.drafted(draft, telling=(remark.key for remark in remarks))
        return self._deliver(event, book, draft)

    def _wait_for_the_last(self, event: Event) -> None:
        """Chatwoot sends its events side by side, so the end may overtake the last message."""
        if event.received_at is None:
            return
        ready = event.received_at + timedelta(seconds=self._work.config.transcript_grace)
        wait = (ready - self._work.context.clock.now()).total_seconds()
        if wait > 0:
            raise Postpone(sentences.WAITING_FOR_MESSAGES, delay=wait)

    def _overtaken(self, event: Event) -> list[Entry]:
        """The messages said before the end that wait behind it in the lane."""
        conversation = conversation_of(event)
        return [
            self._messages.entry(later.message, later)
            for later in self._work.context.following(MESSAGE_CREATED)
            if later.message is not None
            and later.conversation is not None
            and (later.source.id, later.conversation.id) == (event.source.id, conversation.id)
            and reason_to_leave_out(later.message) is None
            and (later.message.created_at or later.occurred_at) <= event.occurred_at
        ]

    def _told(self, event: Event, book: Notebook) -> tuple[str, ...]:
        """The remarks that the conversation's activities have begun with."""
        started = self._work.context.links.get(STARTED, conversation_key(event))
        return (*book.told, *(started.data.get("told", ()) if started else ()))

    def _draft(self, event: Event, book: Notebook, notices: Sequence[str]) -> Draft:
        config = self._work.config
        conversation = conversation_of(event)
        inbox = conversation.inbox_name or book.inbox or None
        note = transcript_note(
            replace(conversation, inbox_name=inbox),
            book.entries,
            left_out=book.left_out,
            brand=event.source.kind.capitalize(),
            zone=config.zone,
            zone_name=config.zone_name,
            language=config.language,
            notices=notices,
        )
        return Draft(
            note=note,
            at=event.occurred_at.astimezone(UTC).isoformat(timespec="seconds"),
            event=event.id,
            count=len(book.entries),
            ids=tuple(entry.id for entry in book.entries),
        )

    def _deliver(self, event: Event, book: Notebook, draft: Draft) -> Done:
        """Post a draft. It is kept first, so that a try that is cut off can be completed."""
        self._messages.keep(event, book)
        try:
            link = self._post(event, book, draft)
        except Rejected:
            # What LeadSquared refuses once must not stand before every later transcript.
            self._messages.keep(event, book.undrafted())
            raise
        self._messages.keep(event, book.delivered())
        return Done(
            sentences.TRANSCRIPT_POSTED.format(id=link.remote_id, count=draft.count), link.url
        )

    def _post(self, event: Event, book: Notebook, draft: Draft) -> Link:
        number = book.posted + 1
        return Posts(self._work).post(
            event,
            Post(
                _KIND,
                f"{conversation_key(event)}/{number}",
                self._code(),
                draft.note,
                datetime.fromisoformat(draft.at),
            ),
        )

    def _code(self) -> int:
        code = self._work.config.transcript_code
        if code is None:
            raise NeedsAttention(sentences.NO_ACTIVITY_TYPE, field="enable_transcript_activity")
        return code
