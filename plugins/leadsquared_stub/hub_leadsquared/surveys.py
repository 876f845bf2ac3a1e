"""Answers to surveys: told in the transcript, or in one of their own when they come after it."""

from __future__ import annotations

from hub.sdk import Done, Event, Skip, SurveyAnswer
from hub_leadsquared import sentences
from hub_leadsquared.mappers.message import Entry
from hub_leadsquared.messages import Messages
from hub_leadsquared.transcripts import Transcripts
from hub_leadsquared.work import Work, conversation_of, message_of


class Surveys:
    """Tells the answers to surveys."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._messages = Messages(work)

    def tell(self, event: Event, answer: SurveyAnswer) -> Done:
        """Keep the answer for the transcript, which follows at once if the conversation has ended.

        :raises Skip: transcripts are switched off, or the answer was told.
        :raises KeepBack: the contact is not known yet.
        """
        if not self._work.config.transcript_enabled:
            raise Skip(sentences.TRANSCRIPT_OFF)
        book, survey = self._messages.notebook(event), message_of(event).id
        entry = Entry.of_survey(answer, event, survey, self._work.config.language)
        if book.has_covered(entry.id):
            raise Skip(sentences.MESSAGE_SENT_BEFORE)
        if reason := self._messages.reason_against(event, book):
            raise Skip(reason)
        if entry not in book.entries:
            for other in book.entries:
                if other.id.startswith(f"{survey}/"):
                    book = book.without(other.id)
            self._messages.keep(event, book.with_entries([entry]))
        if conversation_of(event).status != "resolved":
            return Done(sentences.MESSAGE_KEPT)
        return Transcripts(self._work).resolved(event)
