"""Answers to surveys: what a customer thinks of a conversation, told in a private followup."""

from __future__ import annotations

from typing import Any

from hub.sdk import Done, Event, HubError, Skip, SurveyAnswer
from hub_glpi import sentences
from hub_glpi.conversations import Conversations
from hub_glpi.followup_records import KIND, Followup, FollowupRecords
from hub_glpi.mappers import survey as mapper
from hub_glpi.mappers.conversation import server_time
from hub_glpi.mappers.text import fingerprint
from hub_glpi.work import Work, message_key


class Surveys:
    """Tells the answers to surveys."""

    def __init__(
        self, work: Work, conversations: Conversations, followups: FollowupRecords
    ) -> None:
        self._work = work
        self._links = work.context.links
        self._conversations = conversations
        self._followups = followups

    def tell(self, event: Event, answer: SurveyAnswer) -> Done:
        """Add the answer's followup, or bring it to what the customer has made of the answer.

        :raises Skip: it is told already, or followups are switched off.
        """
        if not self._work.config.sync_followups:
            raise Skip(sentences.FOLLOWUPS_OFF)
        ticket = self._conversations.ensure(event).link
        content = mapper.told(answer, event.contact, self._work.config.language)
        local_id, told = f"{message_key(event)}/survey", fingerprint(content)
        link = self._links.get(KIND, local_id)
        if link is None:
            followup = self._followup(event, local_id, content, told)
            made = self._followups.add(ticket, [followup])[local_id]
            if isinstance(made, HubError):
                raise made
            sentence = sentences.FOLLOWUP_CREATED
            return Done(sentence.format(id=made.remote_id, ticket=ticket.remote_id), ticket.url)
        if link.gone:
            raise Skip(link.gone)
        if link.data.get("body") == told:
            raise Skip(sentences.NOTHING_CHANGED)
        self._followups.rewrite(link, content)
        self._links.update(link, data={**link.data, "body": told})
        sentence = sentences.FOLLOWUP_UPDATED
        return Done(sentence.format(id=link.remote_id, ticket=ticket.remote_id), ticket.url)

    def _followup(self, event: Event, local_id: str, content: str, told: str) -> Followup:
        # The message has the time of the question.
        offset = self._work.glpi.connection.clock_offset
        answered_at = server_time(event.occurred_at, offset)
        values: dict[str, Any] = {
            "content": self._work.html(content),
            "is_private": 1,
            "date": answered_at,
        }
        author = self._work.config.default_user_id
        if author:
            values["users_id"] = author
        key = f"{answered_at}|{author or ''}|{told}"
        return Followup(local_id, values, natural_key=key, data={"body": told})
