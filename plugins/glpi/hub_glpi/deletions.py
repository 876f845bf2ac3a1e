"""Messages that were deleted in Chatwoot lose their text and their files in GLPI.

Unless the settings keep them. What was deleted in GLPI, or edited there, is left alone, but for the
files, which go in any case.
"""

from __future__ import annotations

from hub.sdk import Done, Event, Link, Outcome, Skip
from hub_glpi import sentences
from hub_glpi.api.documents import Owner
from hub_glpi.attachments import DUE, Attachments
from hub_glpi.conversations import Conversations
from hub_glpi.followup_records import FollowupRecords
from hub_glpi.mappers import message as mapper
from hub_glpi.mappers.digest import digest
from hub_glpi.work import Work, conversation_key, message_key, message_of


class Deletions:
    """Takes deleted messages out of GLPI."""

    def __init__(
        self, work: Work, conversations: Conversations, followups: FollowupRecords
    ) -> None:
        self._work = work
        self._links = work.context.links
        self._language = work.config.language
        self._attachments = Attachments(work)
        self._conversations = conversations
        self._followups = followups

    def delete(self, event: Event, followup: Link | None, text_of: Link | None) -> Outcome:
        """Delete what GLPI has of a message: its followup's text, or that of a ticket, and files.

        :raises Skip: GLPI has nothing of it, or the settings keep it.
        :raises Rejected: GLPI does not let the hub delete a file.
        """
        if followup is None and text_of is None:
            raise Skip(sentences.DELETED_BEFORE)
        if self._work.config.keep_deleted:
            raise Skip(sentences.DELETED_KEPT)
        if followup is not None:
            return self._delete_followup(event, followup)
        assert text_of is not None
        return self._delete_text(event, text_of)

    def _delete_followup(self, event: Event, link: Link) -> Outcome:
        ticket = self._links.get("ticket", conversation_key(event))
        number = int(ticket.remote_id) if ticket else 0
        owner = Owner.of_followup(int(link.remote_id), number)
        outcome: Outcome = Done(
            sentences.FOLLOWUP_UPDATED.format(id=link.remote_id, ticket=number), link.url
        )
        try:
            self._rewrite(event, link, ticket)
        except Skip as skip:
            outcome = skip
        link = self._links.get(link.kind, link.local_id) or link
        self._delete_files(link, link.local_id, owner)
        return outcome

    def _rewrite(self, event: Event, link: Link, ticket: Link | None) -> None:
        if link.gone or (ticket is not None and ticket.gone):
            raise Skip(link.gone or (ticket.gone if ticket else None) or "")
        message = message_of(event)
        told = digest(message, self._language)
        if link.data.get("body") == told:
            raise Skip(sentences.NOTHING_CHANGED)
        content = mapper.deleted(self._followups.head(message, link), self._language)
        self._followups.rewrite(link, content)
        self._links.update(link, data={**link.data, "body": told})

    def _delete_text(self, event: Event, ticket: Link) -> Outcome:
        message = message_of(event)
        text = mapper.deleted(mapper.head(message, self._language), self._language)
        told = digest(message, self._language)
        try:
            if ticket.gone:
                raise Skip(ticket.gone)
            outcome: Outcome = self._conversations.rewrite_text(event, ticket, text, told)
        except Skip as skip:
            outcome = skip
        ticket = self._links.get("ticket", ticket.local_id) or ticket
        owner = Owner.of_ticket(int(ticket.remote_id))
        self._delete_files(ticket, message_key(event), owner)
        return outcome

    def _delete_files(self, link: Link, local_id: str, owner: Owner) -> None:
        notes = link.data.get("notes")
        if notes:
            unfinished = bool(link.data.get(DUE))
            self._attachments.delete(local_id, owner, notes, unfinished=unfinished)
            self._links.update(link, data={**link.data, "notes": {}, DUE: False})
