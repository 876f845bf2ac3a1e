"""Messages: each becomes one followup of its conversation's ticket, or the ticket's text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.sdk import (
    Done,
    Event,
    HubError,
    Link,
    Message,
    Outcome,
    Rejected,
    Skip,
    survey_answer,
)
from hub_glpi import sentences
from hub_glpi.api.documents import Owner
from hub_glpi.attachments import DUE, Attachments
from hub_glpi.conversations import Conversations
from hub_glpi.deletions import Deletions
from hub_glpi.followup_records import KIND, Followup, FollowupRecords
from hub_glpi.followup_search import natural_key
from hub_glpi.mappers import message as mapper
from hub_glpi.mappers.conversation import server_time
from hub_glpi.mappers.digest import digest
from hub_glpi.openings import can_be_text
from hub_glpi.people import People
from hub_glpi.surveys import Surveys
from hub_glpi.work import Work, conversation_key, message_key, message_of


class Messages:
    """Keeps messages and their followups together."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._config = work.config
        self._links = work.context.links
        self._conversations = Conversations(work)
        self._people = People(work)
        self._attachments = Attachments(work)
        self._followups = FollowupRecords(work, self._conversations)
        self._surveys = Surveys(work, self._conversations, self._followups)
        self._deletions = Deletions(work, self._conversations, self._followups)

    def add(self, events: Sequence[Event]) -> list[Outcome]:
        """Add messages of one conversation, oldest first, with one request for all followups."""
        outcomes: dict[int, Outcome] = {}
        wanted: list[Event] = []
        for event in events:
            reason = self._left_out(message_of(event))
            if reason is None and not wanted:
                reason = self._conversations.reason_against(event)
            if reason is None:
                wanted.append(event)
            else:
                outcomes[event.id] = Skip(reason)
        if wanted:
            outcomes.update(self._add_wanted(wanted))
        return [outcomes[event.id] for event in events]

    def update(self, event: Event) -> Outcome:
        """Bring a followup to what its message is now: edited, answered or deleted.

        :raises Skip: nothing to do.
        """
        message, local_id = message_of(event), message_key(event)
        # After a merge of two contacts this is all that tells of it.
        self._conversations.give_requester(event)
        link = self._links.get(KIND, local_id)
        ticket = self._links.get("ticket", conversation_key(event))
        is_text = ticket is not None and ticket.data.get("first_message") == local_id
        if message.deleted:
            if ticket is None:
                if reason := self._conversations.reason_against(event):
                    raise Skip(reason)
                # What it deletes may be kept back: then so is this, behind it.
                self._conversations.ask_for_person(event)
            return self._deletions.delete(event, link, ticket if is_text else None)
        if self._config.survey_answers and (answer := survey_answer(message)):
            return self._surveys.tell(event, answer)
        if reason := self._left_out(message):
            raise Skip(reason)
        if link is not None and ticket is not None:
            if link.gone:
                raise Skip(link.gone)
            return self._update_followup(event, message, link, ticket)
        if ticket is not None and is_text:
            return self._update_text(event, message, ticket)
        return self.add([event])[0]

    def _left_out(self, message: Message) -> str | None:
        if message.private and not self._config.private_notes:
            return sentences.PRIVATE_LEFT_OUT
        if message.direction == "template" and not self._config.template_messages:
            return sentences.TEMPLATE_LEFT_OUT
        return None

    def _add_wanted(self, events: Sequence[Event]) -> dict[int, Outcome]:
        opened = self._conversations.ensure(events[0])
        ticket = opened.link
        outcomes: dict[int, Outcome] = {}
        followups: dict[int, Followup] = {}
        for event in events:
            message, local_id = message_of(event), message_key(event)
            ticket = self._links.get("ticket", ticket.local_id) or ticket
            if self._is_text(event, message, ticket):
                self._store_text_files(event, message, ticket)
                sentence = (
                    opened.sentence
                    if opened.made
                    else sentences.IS_TICKET_TEXT.format(ticket=ticket.remote_id)
                )
                outcomes[event.id] = Done(sentence, ticket.url)
            elif not self._config.sync_followups:
                outcomes[event.id] = Skip(sentences.FOLLOWUPS_OFF)
            elif link := self._links.get(KIND, local_id):
                there = sentences.FOLLOWUP_THERE.format(id=link.remote_id, ticket=ticket.remote_id)
                done = Done(there, ticket.url)
                outcomes[event.id] = self._with_files(message, link, ticket, done)
            elif followup := self._followup(event, message):
                followups[event.id] = followup
            else:
                outcomes[event.id] = Skip(sentences.EMPTY_MESSAGE)
        if followups:
            self._conversations.name_inbox(events[0], ticket)
        made = self._followups.add(ticket, list(followups.values()))
        for event in events:
            if followup := followups.get(event.id):
                outcomes[event.id] = self._made(message_of(event), made[followup.local_id], ticket)
        return outcomes

    def _made(self, message: Message, made: Link | HubError, ticket: Link) -> Outcome:
        """What became of a followup that was to be added; its files are stored, too."""
        if isinstance(made, HubError):
            return made
        sentence = sentences.FOLLOWUP_CREATED.format(id=made.remote_id, ticket=ticket.remote_id)
        return self._with_files(message, made, ticket, Done(sentence, ticket.url))

    def _with_files(self, message: Message, link: Link, ticket: Link, outcome: Outcome) -> Outcome:
        """The outcome, or why it is another one after all: see ``_store_files``."""
        try:
            self._store_files(message, link, ticket)
        except (Skip, Rejected) as error:
            return error
        return outcome

    def _is_text(self, event: Event, message: Message, ticket: Link) -> bool:
        """Whether the message is the ticket's text, or becomes it now."""
        first = ticket.data.get("first_message")
        if first == message_key(event):
            return True
        if first is not None or not can_be_text(message, self._config.language):
            return False
        if self._links.get(KIND, message_key(event)):
            return False
        return self._conversations.set_text(event, ticket, message)

    def _store_text_files(self, event: Event, message: Message, ticket: Link) -> Link:
        """Store the files of the ticket's text, and name there those that could not be.

        Answers the ticket's link as it is then.
        """
        ticket = self._links.get("ticket", ticket.local_id) or ticket
        if not ticket.data.get(DUE):
            return ticket
        owner, planned = Owner.of_ticket(int(ticket.remote_id)), ticket.data["notes"]
        notes = self._attachments.store(message, message_key(event), owner, planned)
        if notes != planned:
            language = self._config.language
            text = mapper.body(self._work.shown(message, first=True), language, notes)
            told = digest(message, language, notes)
            try:
                self._conversations.rewrite_text(event, ticket, text, told)
            except Skip as skip:
                self._work.context.progress(skip.sentence)
            ticket = self._links.get("ticket", ticket.local_id) or ticket
        return self._links.update(ticket, data={**ticket.data, "notes": notes, DUE: False})

    def _store_files(self, message: Message, link: Link, ticket: Link) -> None:
        """Store the files of a followup, and name in its text those that could not be.

        :raises Skip: the followup was deleted in GLPI.
        """
        if not link.data.get(DUE):
            return
        owner = Owner.of_followup(int(link.remote_id), int(ticket.remote_id))
        planned = link.data["notes"]
        notes = self._attachments.store(message, link.local_id, owner, planned)
        if notes != planned:
            self._followups.rewrite(link, self._content(message, link, notes))
        told = digest(message, self._config.language, notes)
        self._links.update(link, data={**link.data, "body": told, "notes": notes, DUE: False})

    def _content(self, message: Message, link: Link, notes: mapper.Notes) -> str:
        """What stands in the followup of a link."""
        head = self._followups.head(message, link)
        return mapper.followup(self._work.shown(message), head, self._config.language, notes)

    def _followup(self, event: Event, message: Message) -> Followup | None:
        if message.deleted or not mapper.body(message, self._config.language):
            return None
        notes = self._attachments.plan(message)
        sent_at, author = self._sent_at(message), self._author(event, message)
        # GLPI's own line above the text names the customer then.
        is_own = author is not None and message.direction == "incoming"
        head = "" if is_own else self._followups.head(message)
        content = mapper.followup(self._work.shown(message), head, self._config.language, notes)
        values: dict[str, Any] = {
            "content": self._work.html(content),
            "is_private": int(message.private),
        }
        if sent_at:
            values["date"] = sent_at
        if author:
            values["users_id"] = author
        return Followup(
            message_key(event),
            values,
            natural_key=natural_key(content, sent_at=sent_at, author=author),
            data={
                "body": digest(message, self._config.language, notes),
                "notes": notes,
                "own": is_own,
                DUE: self._attachments.is_due(notes),
            },
        )

    def _update_followup(self, event: Event, message: Message, link: Link, ticket: Link) -> Outcome:
        known = link.data.get("notes") or {}
        notes = self._attachments.plan(message, known)
        due = bool(link.data.get(DUE)) or self._attachments.is_due(notes, known)
        told = digest(message, self._config.language, notes)
        is_new = told != link.data.get("body")
        if not is_new and not due:
            raise Skip(sentences.NOTHING_CHANGED)
        if ticket.gone:
            raise Skip(ticket.gone)
        if is_new:
            content = self._content(message, link, notes)
            if not content:
                raise Skip(sentences.EMPTY_MESSAGE)
            self._followups.rewrite(link, content)
        data = {**link.data, "body": told, "notes": notes, DUE: due}
        self._store_files(message, self._links.update(link, data=data), ticket)
        sentence = sentences.FOLLOWUP_UPDATED.format(id=link.remote_id, ticket=ticket.remote_id)
        return Done(sentence, link.url)

    def _update_text(self, event: Event, message: Message, ticket: Link) -> Outcome:
        if ticket.gone:
            raise Skip(ticket.gone)
        known = ticket.data.get("notes") or {}
        notes = self._attachments.plan(message, known)
        if self._attachments.is_due(notes, known):
            self._links.update(ticket, data={**ticket.data, "notes": notes, DUE: True})
        ticket = self._store_text_files(event, message, ticket)
        language, notes = self._config.language, ticket.data.get("notes") or {}
        text = mapper.body(self._work.shown(message, first=True), language, notes)
        told = digest(message, language, notes)
        return self._conversations.rewrite_text(event, ticket, text, told)

    def _sent_at(self, message: Message) -> str:
        if message.created_at is None:
            return ""
        return server_time(message.created_at, self._work.glpi.connection.clock_offset)

    def _author(self, event: Event, message: Message) -> int | None:
        """The customer's own user, or the default user for what others write."""
        if message.direction != "incoming":
            return self._config.default_user_id
        person = None if self._config.use_contact else self._people.known(event)
        return int(person.remote_id) if person else None
