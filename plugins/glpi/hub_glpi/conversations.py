"""Conversations: each gets one ticket, whose status and priority follow Chatwoot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from hub.sdk import (
    MESSAGE_CREATED,
    Conversation,
    Done,
    Event,
    Intent,
    Link,
    Message,
    Postpone,
    Remote,
    Skip,
)
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.mappers import conversation as mapper
from hub_glpi.mappers import message as message_mapper
from hub_glpi.mappers.contact import clean, email_of, phone_of
from hub_glpi.mappers.text import fingerprint, plain_to_html
from hub_glpi.people import People
from hub_glpi.requesters import Requesters
from hub_glpi.work import Work, contact_key, conversation_key, key


@dataclass(frozen=True, slots=True)
class Requester:
    """For whom a ticket is made: GLPI's fields, and words for people."""

    fields: Mapping[str, Any]
    words: str
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation's ticket, and whether it was made just now."""

    link: Link
    sentence: str
    made: bool


class Conversations:
    """Keeps conversations and their tickets together."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._config = work.config
        self._links = work.context.links
        self._people = People(work)
        self._requesters = Requesters(work)

    def follow(self, event: Event) -> Done:
        """Bring the ticket to what a conversation event says.

        :raises Skip: nothing to do.
        :raises Postpone: the customer's first message may come in a moment.
        """
        opened = self.ensure(event)
        if opened.made:
            return Done(opened.sentence, opened.link.url)
        return self._update(event, opened.link)

    def ensure(self, event: Event) -> Opened:
        """The conversation's ticket, made if need be from what the event and the lane tell.

        :raises Skip: there is none and none is to be made, or it was deleted in GLPI.
        :raises Postpone: the customer's first message may come in a moment.
        """
        if not self._config.sync_tickets:
            raise Skip(sentences.TICKETS_OFF)
        conversation = _conversation(event)
        link = self._links.get("ticket", conversation_key(event))
        if link is not None:
            if link.gone:
                raise Skip(link.gone)
            link = self._finish(link)
            return Opened(link, sentences.TICKET_ADOPTED.format(id=link.remote_id), made=False)
        first = self._first_message(event)
        if first is None:
            self._wait_for_message(event)
        requester = self._requester(event)
        link = self._create(event, conversation, first, requester)
        if not requester.is_final:
            self._requesters.remember(event, conversation_key(event))
        link = self._finish(link)
        sentence = sentences.TICKET_ADOPTED if link.adopted else sentences.TICKET_CREATED
        words = sentence.format(id=link.remote_id, requester=requester.words)
        return Opened(link, words, made=True)

    def set_text(self, event: Event, link: Link, message: Message) -> bool:
        """Make a message the text of a ticket that still waits for one.

        ``False`` if someone has written a text there meanwhile.
        """
        conversation, language = _conversation(event), self._config.language
        ticket = self._read(link)
        current = str(ticket.get("content") or "")
        content = self._content(event, conversation, message_mapper.body(message, language))
        text = fingerprint(content)
        if mapper.no_message_yet(language) in current:
            patch = {"content": content}
            if ticket.get("name") == mapper.title(conversation, "", language):
                patch["name"] = mapper.title(conversation, message.text, language)
            self._write(link, patch)
        elif fingerprint(current) != text:
            self._links.update(link, data={**link.data, "first_message": ""})
            return False
        first = key(event, message.id)
        self._links.update(link, data={**link.data, "first_message": first, "text": text})
        self._work.say(sentences.TICKET_TEXT_SET, id=link.remote_id)
        return True

    def rewrite_text(self, event: Event, link: Link, text_html: str) -> Done:
        """Replace the text of a ticket, after its message was edited or deleted.

        :raises Skip: it is that text already, or someone has edited it in GLPI.
        """
        content = self._content(event, _conversation(event), text_html)
        wanted = fingerprint(content)
        if wanted == link.data.get("text"):
            raise Skip(sentences.NOTHING_CHANGED)
        current = fingerprint(str(self._read(link).get("content") or ""))
        if current not in (wanted, link.data.get("text")):
            raise Skip(sentences.TICKET_LEFT.format(id=link.remote_id))
        if current != wanted:
            self._write(link, {"content": content})
        self._links.update(link, data={**link.data, "text": wanted})
        return Done(sentences.TICKET_UPDATED.format(id=link.remote_id, fields="content"), link.url)

    def explain_refusal(self, link: Link, refused: Refused, right: rights.Right) -> None:
        """Tell why GLPI refused something about a ticket.

        :raises Skip: the ticket is gone.
        :raises NeedsAttention: a right is missing.
        :raises Refused: neither.
        """
        self._read(link)
        raise rights.explain(self._work.glpi, refused, right) from refused

    def _update(self, event: Event, link: Link) -> Done:
        conversation = _conversation(event)
        version = event.version
        if version is not None and link.version is not None and version < link.version:
            raise Skip(sentences.OLDER)
        state = _state(conversation)
        if state == {name: link.data.get(name) for name in state}:
            if version is not None and version != link.version:
                self._links.update(link, version=version)
            if conversation.status == "resolved":
                raise Skip(sentences.TICKET_SOLVED_BEFORE.format(id=link.remote_id))
            raise Skip(sentences.NOTHING_CHANGED)
        patch = self._changes(conversation, link)
        sentence = sentences.NOTHING_CHANGED
        if patch:
            ticket = self._read(link)
            previous = self._config.statuses.get(str(link.data.get("status")), 0)
            sentence = self._apply(link, patch, previous, ticket)
        self._links.update(link, data={**link.data, **state}, version=version)
        return Done(sentence, link.url)

    def _changes(self, conversation: Conversation, link: Link) -> dict[str, int]:
        """What changed in Chatwoot, in GLPI's numbers."""
        statuses, priorities = self._config.statuses, self._config.priorities
        status = mapper.status_of(conversation, statuses)
        priority = mapper.priority_of(conversation, priorities)
        patch: dict[str, int] = {}
        if status != statuses.get(str(link.data.get("status"))):
            patch["status"] = status
        if priority != priorities.get(str(link.data.get("priority"))):
            patch["priority"] = priority
        return patch

    def _apply(
        self, link: Link, patch: dict[str, int], previous: int, ticket: Mapping[str, Any]
    ) -> str:
        """Write what changed, except over what an agent decided in GLPI meanwhile."""
        number = link.remote_id
        status = patch.pop("status", None)
        if status is not None:
            status = mapper.status_to_write(previous, status, int(ticket.get("status") or 0))
        if patch.get("priority") == ticket.get("priority"):
            del patch["priority"]
        if status == mapper.SOLVED and self._config.solution_text:
            self._solve(link)
        elif status is not None:
            patch = {**patch, "status": status}
        if patch:
            self._write(link, patch)
        if status == mapper.SOLVED:
            return sentences.TICKET_SOLVED.format(id=number)
        if status is not None and previous == mapper.SOLVED:
            return sentences.TICKET_REOPENED.format(id=number)
        if patch:
            return sentences.TICKET_UPDATED.format(id=number, fields=", ".join(sorted(patch)))
        return sentences.TICKET_LEFT.format(id=number)

    def _finish(self, link: Link) -> Link:
        """Solve a ticket that was made of a resolved conversation, with the solution text.

        Also when an earlier try was cut off before this.
        """
        if not link.data.get("unsolved"):
            return link
        self._solve(link)
        return self._links.update(link, data={**link.data, "unsolved": False})

    def _solve(self, link: Link) -> None:
        text = plain_to_html(self._config.solution_text)
        try:
            self._work.glpi.solutions.create(int(link.remote_id), text)
        except Refused as refused:
            # Refused with one code: solved already (by an earlier try, or an agent), or no right.
            if int(self._read(link).get("status") or 0) not in (mapper.SOLVED, mapper.CLOSED):
                raise rights.explain(self._work.glpi, refused, rights.UPDATE_TICKETS) from refused

    def _write(self, link: Link, patch: Mapping[str, Any]) -> None:
        try:
            remark = self._work.glpi.tickets.update(int(link.remote_id), patch)
        except Refused as refused:
            self.explain_refusal(link, refused, rights.UPDATE_TICKETS)
        else:
            if remark:
                self._work.context.progress(remark)

    def _read(self, link: Link) -> dict[str, Any]:
        """The ticket as it is in GLPI.

        :raises Skip: it is gone, which is noted in the link.
        """
        number = int(link.remote_id)
        try:
            ticket = self._work.glpi.tickets.get(number)
        except Missing as missing:
            sentence = sentences.TICKET_PURGED.format(id=number)
            self._links.mark_gone(link, sentence)
            raise Skip(sentence) from missing
        if ticket.get("is_deleted"):
            sentence = sentences.TICKET_TRASHED.format(id=number)
            self._links.mark_gone(link, sentence)
            raise Skip(sentence)
        return ticket

    def _first_message(self, event: Event) -> Message | None:
        """The customer's first message among those that are known here and now."""
        events = [event, *self._work.context.following(MESSAGE_CREATED)]
        messages = [
            item.message
            for item in events
            if item.message is not None
            and item.source.id == event.source.id
            and item.conversation is not None
            and item.conversation.id == _conversation(event).id
            and can_be_text(item.message, self._config.language)
        ]
        return min(messages, key=_age_order, default=None)

    def _wait_for_message(self, event: Event) -> None:
        grace = self._config.first_message_grace
        arrived = event.received_at or event.occurred_at
        age = (self._work.context.clock.now() - arrived).total_seconds()
        # A source whose clock is ahead must not make us wait for it.
        if -grace <= age < grace:
            raise Postpone(sentences.WAITING_FOR_MESSAGE, delay=min(grace, grace - age))

    def _requester(self, event: Event) -> Requester:
        contact = event.contact
        email = email_of(contact) if contact else None
        try:
            person = self._people.ensure(event)
        except Skip:
            if not self._config.anonymous_tickets:
                raise
            return self._nobody()
        if not self._config.use_contact:
            user_id = int(person.remote_id)
            return Requester({"_users_id_requester": user_id}, f"user {user_id}")
        if email is None:
            return Requester({"_users_id_requester": 0}, sentences.UNKNOWN_CUSTOMER, is_final=False)
        return Requester(
            {
                "_users_id_requester": 0,
                "_users_id_requester_notif": {
                    "use_notification": [1],
                    "alternative_email": [email],
                },
            },
            email,
        )

    def _nobody(self) -> Requester:
        user_id = self._config.default_user_id or 0
        return Requester(
            {"_users_id_requester": user_id}, sentences.UNKNOWN_CUSTOMER, is_final=False
        )

    def _create(
        self,
        event: Event,
        conversation: Conversation,
        first: Message | None,
        requester: Requester,
    ) -> Link:
        config = self._config
        text = message_mapper.body(first, config.language) if first else ""
        content = self._content(event, conversation, text, named=not requester.is_final)
        data = {
            **_state(conversation),
            "first_message": key(event, first.id) if first else None,
            "text": fingerprint(content),
            "unsolved": self._needs_solution(conversation),
        }

        def create() -> Remote:
            values: dict[str, Any] = {
                "name": mapper.title(conversation, first.text if first else "", config.language),
                "content": content,
                "status": self._first_status(conversation),
                "priority": mapper.priority_of(conversation, config.priorities),
                "type": config.ticket_type,
                **requester.fields,
            }
            if config.entity_id is not None:
                values["entities_id"] = config.entity_id
            if config.category_id is not None:
                values["itilcategories_id"] = config.category_id
            if conversation.created_at is not None:
                moment = min(conversation.created_at, self._work.context.clock.now())
                offset = self._work.glpi.connection.clock_offset
                values["date"] = mapper.server_time(moment, offset)
            try:
                number = self._work.glpi.tickets.create(values)
            except Refused as refused:
                raise rights.explain(self._work.glpi, refused, rights.CREATE_TICKETS) from refused
            return self._remote(number, data)

        def find(intent: Intent) -> Remote | None:
            for ticket in self._work.glpi.tickets.containing(intent.natural_key):
                if mapper.refers_to(ticket.content, intent.natural_key):
                    waits = mapper.no_message_yet(config.language) in ticket.content
                    first_message = None if waits else (data["first_message"] or "")
                    found = {
                        **data,
                        "first_message": first_message,
                        "text": fingerprint(ticket.content),
                    }
                    return self._remote(ticket.id, found)
            return None

        return self._links.create_once(
            "ticket",
            conversation_key(event),
            create=create,
            find=find,
            natural_key=mapper.reference(event.source, conversation),
            version=event.version if not event.name.startswith("contact.") else None,
        )

    def _first_status(self, conversation: Conversation) -> int:
        if self._needs_solution(conversation):
            return self._config.statuses["open"]
        return mapper.status_of(conversation, self._config.statuses)

    def _needs_solution(self, conversation: Conversation) -> bool:
        """Whether a new ticket is to be solved by a solution text rather than by its status."""
        status = mapper.status_of(conversation, self._config.statuses)
        return status == mapper.SOLVED and bool(self._config.solution_text)

    def _content(
        self, event: Event, conversation: Conversation, text_html: str, *, named: bool = False
    ) -> str:
        contact = event.contact
        if named and contact is not None:
            phone = phone_of(contact, self._config.default_region)
            words = " · ".join(filter(None, [clean(contact.name), phone]))
            text_html += f"<p>{escape(words)}</p>" if words and text_html else ""
        return mapper.content(event.source, conversation, text_html, self._config.language)

    def _remote(self, number: int, data: Mapping[str, Any]) -> Remote:
        return Remote(str(number), url=self._config.page("ticket", number), data=data)


def can_be_text(message: Message, language: str) -> bool:
    """Whether a message can be the text of a ticket: the customer's, and with something in it."""
    return (
        message.direction == "incoming"
        and not message.private
        and not message.deleted
        and bool(message_mapper.body(message, language))
    )


def _age_order(message: Message) -> tuple[float, int]:
    number = int(message.id) if message.id.isdigit() else 0
    return (message.created_at.timestamp() if message.created_at else 0.0, number)


def _state(conversation: Conversation) -> dict[str, str]:
    """What of a conversation the ticket follows, in Chatwoot's words."""
    return {"status": conversation.status, "priority": conversation.priority or "none"}


def _conversation(event: Event) -> Conversation:
    if event.conversation is None:
        raise Skip(sentences.NO_CONVERSATION)
    return event.conversation


__all__ = ["Conversations", "Opened", "can_be_text", "contact_key"]
