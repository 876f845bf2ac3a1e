"""Messages: each becomes one followup of its conversation's ticket, or the ticket's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from hub.sdk import (
    Done,
    Event,
    HubError,
    Intent,
    Link,
    Message,
    Outcome,
    Remote,
    Skip,
)
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.attachments import Attachments
from hub_glpi.conversations import Conversations
from hub_glpi.mappers import message as mapper
from hub_glpi.mappers.conversation import server_time, words_for_time
from hub_glpi.mappers.digest import digest
from hub_glpi.mappers.text import fingerprint
from hub_glpi.openings import can_be_text
from hub_glpi.people import People
from hub_glpi.work import Work, conversation_key, message_key, message_of

_KIND: Final = "followup"


@dataclass(frozen=True, slots=True)
class Followup:
    """A followup to be added, with what its link remembers."""

    local_id: str
    values: Mapping[str, Any]
    natural_key: str
    data: Mapping[str, Any]


class Messages:
    """Keeps messages and their followups together."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._config = work.config
        self._links = work.context.links
        self._conversations = Conversations(work)
        self._people = People(work)
        self._attachments = Attachments(work)

    def add(self, events: Sequence[Event]) -> list[Outcome]:
        """Add messages of one conversation, oldest first, with one request for all followups."""
        outcomes: dict[int, Outcome] = {}
        wanted: list[Event] = []
        for event in events:
            if reason := self._left_out(message_of(event)):
                outcomes[event.id] = Skip(reason)
            else:
                wanted.append(event)
        if wanted:
            outcomes.update(self._add_wanted(wanted))
        return [outcomes[event.id] for event in events]

    def update(self, event: Event) -> Outcome:
        """Bring a followup to what its message is now: edited, answered or deleted.

        :raises Skip: nothing to do.
        """
        message = message_of(event)
        if reason := self._left_out(message):
            raise Skip(reason)
        link = self._links.get(_KIND, message_key(event))
        if link is not None:
            return self._update_followup(event, message, link)
        ticket = self._links.get("ticket", conversation_key(event))
        if ticket and ticket.data.get("first_message") == message_key(event):
            return self._update_text(event, message, ticket)
        if message.deleted:
            raise Skip(sentences.DELETED_BEFORE)
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
            elif link := self._links.get(_KIND, local_id):
                outcomes[event.id] = Done(
                    sentences.FOLLOWUP_THERE.format(id=link.remote_id, ticket=ticket.remote_id),
                    ticket.url,
                )
            elif followup := self._followup(event, message, ticket):
                followups[event.id] = followup
            else:
                outcomes[event.id] = Skip(sentences.EMPTY_MESSAGE)
        if followups:
            self._conversations.name_inbox(events[0], ticket)
            outcomes.update(self._create(ticket, followups))
        return outcomes

    def _is_text(self, event: Event, message: Message, ticket: Link) -> bool:
        """Whether the message is the ticket's text, or becomes it now."""
        first = ticket.data.get("first_message")
        if first == message_key(event):
            return True
        if first is not None or not can_be_text(message, self._config.language):
            return False
        if self._links.get(_KIND, message_key(event)):
            return False
        return self._conversations.set_text(event, ticket, message)

    def _store_text_files(self, event: Event, message: Message, ticket: Link) -> None:
        """Store the files of the ticket's text, and say there which could not be."""
        if not message.attachments or not self._config.upload_attachments:
            return
        notes = self._attachments.store(event, message, ticket)
        text = mapper.body(message, self._config.language, notes)
        ticket = self._links.get("ticket", ticket.local_id) or ticket
        told = digest(message, self._config.language, notes)
        try:
            self._conversations.rewrite_text(event, ticket, text, told, notes)
        except Skip as skip:
            self._work.context.progress(skip.sentence)

    def _followup(self, event: Event, message: Message, ticket: Link) -> Followup | None:
        if message.deleted or not mapper.body(message, self._config.language):
            return None
        notes = self._attachments.store(event, message, ticket)
        sent_at, author = self._sent_at(message), self._author(event, message)
        # GLPI's own line above the text names the customer then.
        is_own = author is not None and message.direction == "incoming"
        head = "" if is_own else self._head(message)
        content = mapper.followup(message, head, self._config.language, notes)
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
            natural_key=f"{sent_at}|{author or ''}|{fingerprint(content)}",
            data={
                "body": digest(message, self._config.language, notes),
                "notes": notes,
                "own": is_own,
            },
        )

    def _create(self, ticket: Link, followups: Mapping[int, Followup]) -> dict[int, Outcome]:
        by_local_id = {followup.local_id: followup for followup in followups.values()}

        def create(local_ids: Sequence[str]) -> Sequence[Remote | HubError]:
            wanted = [by_local_id[local_id] for local_id in local_ids]
            results = self._work.glpi.followups.create_each(
                int(ticket.remote_id), [followup.values for followup in wanted]
            )
            refusals = [result for result in results if isinstance(result, Refused)]
            if len(refusals) == len(results):
                # A missing ticket is refused with words about permission.
                self._conversations.explain_refusal(ticket, refusals[0], rights.ADD_FOLLOWUPS)
            return [
                result
                if isinstance(result, Refused)
                else Remote(str(result), url=ticket.url, data=followup.data)
                for followup, result in zip(wanted, results, strict=True)
            ]

        made = self._links.create_many_once(
            _KIND,
            list(by_local_id),
            create=create,
            find=self._finder(ticket, by_local_id),
            natural_keys={name: item.natural_key for name, item in by_local_id.items()},
        )
        return {
            event_id: _outcome(made[followup.local_id], ticket)
            for event_id, followup in followups.items()
        }

    def _finder(
        self, ticket: Link, by_local_id: Mapping[str, Followup]
    ) -> Callable[[Intent], Remote | None]:
        """Finds followups of cut off tries by date, author and content.

        The ticket's followups are read once for all, oldest first, so that equal messages are
        matched in their order.
        """
        candidates: list[dict[str, Any]] | None = None

        def find(intent: Intent) -> Remote | None:
            nonlocal candidates
            if candidates is None:
                candidates = list(reversed(list(self._recent(ticket, intent))))
            for candidate in candidates:
                number = str(candidate["id"])
                if _fits(candidate, intent.natural_key) and not self._links.with_remote(
                    _KIND, number
                ):
                    data = by_local_id[intent.local_id].data
                    return Remote(number, url=ticket.url, data=data)
            return None

        return find

    def _recent(self, ticket: Link, intent: Intent) -> Iterator[dict[str, Any]]:
        """The followups made since the try began, newest first."""
        offset = self._work.glpi.connection.clock_offset
        # An hour for clocks that differ.
        since = server_time(intent.begun_at, offset - 3600)
        try:
            yield from takewhile(
                lambda item: str(item.get("date_creation") or "9") >= since,
                self._work.glpi.followups.newest_first(int(ticket.remote_id)),
            )
        except Missing:
            return

    def _update_followup(self, event: Event, message: Message, link: Link) -> Outcome:
        if link.gone:
            raise Skip(link.gone)
        notes = link.data.get("notes") or {}
        language = self._config.language
        told = digest(message, language, notes)
        if told == link.data.get("body"):
            raise Skip(sentences.NOTHING_CHANGED)
        ticket = self._links.get("ticket", conversation_key(event))
        if ticket is not None and ticket.gone:
            raise Skip(ticket.gone)
        # Version 1 of this plugin did not note it, and had the line above every followup.
        head = "" if link.data.get("own") else self._head(message)
        content = (
            mapper.deleted(head, language)
            if message.deleted
            else mapper.followup(message, head, language, notes)
        )
        if not content:
            raise Skip(sentences.EMPTY_MESSAGE)
        try:
            self._work.glpi.followups.update(
                int(link.remote_id), {"content": self._work.html(content)}
            )
        except Refused as refused:
            self._explain_followup(link, refused)
        self._links.update(link, data={**link.data, "body": told})
        number = ticket.remote_id if ticket else "?"
        return Done(sentences.FOLLOWUP_UPDATED.format(id=link.remote_id, ticket=number), link.url)

    def _explain_followup(self, link: Link, refused: Refused) -> None:
        try:
            self._work.glpi.followups.get(int(link.remote_id))
        except Missing as missing:
            sentence = sentences.FOLLOWUP_GONE.format(id=link.remote_id)
            self._links.mark_gone(link, sentence)
            raise Skip(sentence) from missing
        raise rights.explain(self._work.glpi, refused, rights.ADD_FOLLOWUPS) from refused

    def _update_text(self, event: Event, message: Message, ticket: Link) -> Outcome:
        if ticket.gone:
            raise Skip(ticket.gone)
        language = self._config.language
        notes = ticket.data.get("notes")
        text = (
            mapper.deleted(mapper.head(message, language), language)
            if message.deleted
            else mapper.body(message, language, notes)
        )
        return self._conversations.rewrite_text(
            event, ticket, text, digest(message, language, notes)
        )

    def _head(self, message: Message) -> str:
        sent_at = ""
        if message.created_at is not None:
            sent_at = words_for_time(message.created_at, self._work.glpi.connection.clock_offset)
        return mapper.head(message, self._config.language, sent_at)

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


def _fits(candidate: Mapping[str, Any], natural_key: str) -> bool:
    sent_at, author, digest = natural_key.split("|")
    return (
        fingerprint(str(candidate.get("content") or "")) == digest
        and (not sent_at or candidate.get("date") == sent_at)
        and (not author or str(candidate.get("users_id")) == author)
    )


def _outcome(made: Link | HubError, ticket: Link) -> Outcome:
    if isinstance(made, HubError):
        return made
    sentence = sentences.FOLLOWUP_CREATED.format(id=made.remote_id, ticket=ticket.remote_id)
    return Done(sentence, ticket.url)
