"""Conversations: each gets one ticket, whose status and priority follow Chatwoot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.sdk import Conversation, Done, Event, Inboxes, Link, Message, Skip
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.attachments import DUE, Attachments
from hub_glpi.mappers import conversation as mapper
from hub_glpi.mappers import message as message_mapper
from hub_glpi.mappers.digest import digest, first_body
from hub_glpi.mappers.text import fingerprint, plain_to_html
from hub_glpi.notices import Notices
from hub_glpi.openings import UNTOLD, Openings, state_of
from hub_glpi.people import People
from hub_glpi.requesters import Requesters
from hub_glpi.work import Work, conversation_key, conversation_of, key


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
        self._openings = Openings(work)
        self._attachments = Attachments(work)
        self._people = People(work)
        self._requesters = Requesters(work)
        self._notices = Notices(work)

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

        :raises KeepBack: there is none, since it is not known for whom.
        :raises Skip: there is none and none is to be made, or it was deleted in GLPI.
        :raises Postpone: the customer's first message may come in a moment.
        """
        if not self._config.sync_tickets:
            raise Skip(sentences.TICKETS_OFF)
        link = self._links.get("ticket", conversation_key(event))
        if link is not None:
            if link.gone:
                raise Skip(link.gone)
            self._finish(link)
            link = self.give_requester(event) or link
            return Opened(link, sentences.TICKET_ADOPTED.format(id=link.remote_id), made=False)
        link, sentence = self._openings.open(event)
        return Opened(self._finish(link), sentence, made=True)

    def ask_for_person(self, event: Event) -> None:
        """See ``Openings.ask_for_person``."""
        if self._config.sync_tickets:
            self._openings.ask_for_person(event)

    def give_requester(self, event: Event) -> Link | None:
        """Give the conversation's ticket its requester, if it was made before that was known;
        answers the ticket, if there is one."""
        link = self._links.get("ticket", conversation_key(event))
        if link is None or link.gone or event.contact is None:
            return link
        if self._requesters.waits(link) and self._people.can_have_record(event):
            person = self._people.ensure(event)
            # Perhaps it has it now, by its contact.
            link = self._links.get("ticket", link.local_id) or link
            if self._requesters.waits(link):
                self._requesters.give(link, person, event.contact)
        return self._links.get("ticket", link.local_id)

    def reason_against(self, event: Event) -> str | None:
        """Why an event makes no ticket where there is none yet, if the settings say so."""
        if self._links.get("ticket", conversation_key(event)) is not None:
            return None
        return self._openings.reason_against(event)

    def set_text(self, event: Event, link: Link, message: Message) -> bool:
        """Make a message the text of a ticket that still waits for one.

        ``False`` if someone has written a text there meanwhile.
        """
        conversation, language = conversation_of(event), self._config.language
        ticket = self._read(link)
        current = str(ticket.get("content") or "")
        notes = self._attachments.plan(message)
        body = message_mapper.body(self._work.shown(message, first=True), language, notes)
        content = self._content(event, body, link)
        text = fingerprint(content)
        told = digest(message, language, notes)
        if mapper.no_message_yet(language) in current:
            patch = {"content": self._work.html(content)}
            if ticket.get("name") == mapper.title(conversation, "", language):
                patch["name"] = mapper.title(conversation, message.text, language)
            self._write(link, patch)
        elif fingerprint(current) == self._first_version(event, message, link):
            # A try of an older version was cut off after it had written this.
            text = fingerprint(current)
        elif fingerprint(current) != text:
            self._links.update(link, data={**link.data, "first_message": ""})
            return False
        known = {
            "first_message": key(event, message.id),
            "body": told,
            "text": text,
            "inbox": self._inbox(event, link),
            "notes": notes,
            DUE: self._attachments.is_due(notes),
        }
        self._links.update(link, data={**link.data, **known})
        self._work.say(sentences.TICKET_TEXT_SET, id=link.remote_id)
        return True

    def name_inbox(self, event: Event, link: Link) -> None:
        """Name the inbox in a ticket that was made before anybody had told its name, and that has
        no message as its text yet."""
        name = conversation_of(event).inbox_name
        unnamed = "inbox" in link.data and link.data["inbox"] is None
        if not name or not unnamed or link.data.get("first_message") is not None:
            return
        Inboxes(self._work.context).name(event.source, conversation_of(event).inbox_id, name)
        content = self._content(event, "", link)
        known = {**link.data, "inbox": name, "text": fingerprint(content)}
        current = fingerprint(str(self._read(link).get("content") or ""))
        if current == link.data.get("text"):
            self._write(link, {"content": self._work.html(content)})
        elif current != known["text"]:
            known["text"] = link.data.get("text")
        self._links.update(link, data=known)

    def rewrite_text(self, event: Event, link: Link, body: str, told: str) -> Done:
        """Replace the text of a ticket, after its message was edited or deleted.

        ``told`` is the digest of that message.

        :raises Skip: it is that text already, or someone has edited it in GLPI.
        """
        if told == link.data.get("body"):
            raise Skip(sentences.NOTHING_CHANGED)
        content = self._content(event, body, link)
        wanted = fingerprint(content)
        current = fingerprint(str(self._read(link).get("content") or ""))
        if current not in (wanted, link.data.get("text")):
            raise Skip(sentences.TICKET_LEFT.format(id=link.remote_id))
        if current != wanted:
            self._write(link, {"content": self._work.html(content)})
        known = {"body": told, "text": wanted}
        self._links.update(link, data={**link.data, **known})
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
        conversation = conversation_of(event)
        version = event.version
        if version is not None and link.version is not None and version < link.version:
            raise Skip(sentences.OLDER)
        state = state_of(conversation)
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
        """Tell what is not proven of a ticket's requester, and solve a ticket that was made of a
        resolved conversation, with the solution text.

        Also when an earlier try was cut off before this.
        """
        link = self._requesters.finish(link)
        if texts := link.data.get(UNTOLD):
            self._notices.add(link, texts)
            link = self._links.update(link, data={**link.data, UNTOLD: []})
        if not link.data.get("unsolved"):
            return link
        self._solve(link)
        return self._links.update(link, data={**link.data, "unsolved": False})

    def _solve(self, link: Link) -> None:
        text = self._work.html(plain_to_html(self._config.solution_text))
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

    def _first_version(self, event: Event, message: Message, link: Link) -> str:
        """The fingerprint of the text that version 1 of this plugin made of the message."""
        body = first_body(message, self._config.language)
        return fingerprint(self._content(event, body, link))

    def _inbox(self, event: Event, link: Link) -> str | None:
        """The name of the conversation's inbox: as the event tells it, or as the ticket has it."""
        return conversation_of(event).inbox_name or link.data.get("inbox")

    def _content(self, event: Event, text_html: str, link: Link) -> str:
        conversation = replace(conversation_of(event), inbox_name=self._inbox(event, link))
        customer = str(link.data.get("customer", ""))
        language = self._config.language
        return mapper.content(event.source, conversation, text_html, language, customer)
