"""New tickets: when one is made, for whom, and with which text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.sdk import (
    MESSAGE_CREATED,
    Contact,
    Conversation,
    Event,
    Inboxes,
    Intent,
    KeepBack,
    Link,
    Message,
    Postpone,
    Remote,
    Skip,
)
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Refused
from hub_glpi.attachments import DUE, Attachments
from hub_glpi.config import NOTHING, WHEN_KNOWN
from hub_glpi.mappers import conversation as mapper
from hub_glpi.mappers import message as message_mapper
from hub_glpi.mappers.contact import clean, email_of, phone_of
from hub_glpi.mappers.digest import digest
from hub_glpi.mappers.text import fingerprint
from hub_glpi.notices import Notices
from hub_glpi.people import People
from hub_glpi.requesters import Requesters
from hub_glpi.work import Work, contact_of, conversation_key, conversation_of, key

#: What of a ticket's requester is still to be told in it, in the data of its link.
UNTOLD: Final = "untold"


@dataclass(frozen=True, slots=True)
class Requester:
    """For whom a ticket is made: GLPI's fields, and words for people.

    ``is_final`` is false when the requester is still to be found out. ``notices`` are what
    technicians must know of it, for they see it as if it were proven.
    """

    fields: Mapping[str, Any]
    words: str
    is_final: bool = True
    notices: Sequence[str] = ()


class Openings:
    """Makes the tickets of conversations."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._config = work.config
        self._links = work.context.links
        self._people = People(work)
        self._requesters = Requesters(work)
        self._attachments = Attachments(work)
        self._notices = Notices(work)

    def open(self, event: Event) -> tuple[Link, str]:
        """A ticket for the event's conversation, and the sentence that tells of it.

        :raises KeepBack: it is not known yet for whom.
        :raises Skip: there is nobody to make it for, and the settings want none then.
        :raises Postpone: the customer's first message may come in a moment.
        """
        if reason := self.reason_against(event):
            raise Skip(reason)
        self.ask_for_person(event)
        first = self._first_message(event)
        if first is None:
            self._wait_for_message(event)
        requester = self._requester(event)
        link = self._create(event, self._named(event), first, requester)
        if not requester.is_final and event.contact is not None:
            self._requesters.remember(event, conversation_key(event))
        if person := self._people.known(event):
            self._requesters.note(person, conversation_key(event))
        sentence = sentences.TICKET_ADOPTED if link.adopted else sentences.TICKET_CREATED
        return link, sentence.format(id=link.remote_id, requester=requester.words)

    def ask_for_person(self, event: Event) -> None:
        """Ask whether a ticket may be made of a conversation that has none.

        :raises KeepBack: not before it is known for whom.
        :raises Skip: it is not known for whom, and the settings want none then.
        """
        if self._people.can_have_record(event) or self._work.context.insisted:
            return
        if self._config.unknown_people == WHEN_KNOWN:
            raise KeepBack(sentences.KEPT_BACK, days=self._config.keep_days)
        if self._config.unknown_people == NOTHING:
            raise Skip(sentences.UNKNOWN_LEFT_OUT)

    def reason_against(self, event: Event) -> str | None:
        """Why no ticket is made because of this event, if the settings say so."""
        if (
            event.contact is not None
            and event.contact.blocked
            and not self._config.blocked_contacts
        ):
            return sentences.BLOCKED_LEFT_OUT
        if event.is_automatic and not self._config.automatic_replies:
            return sentences.AUTOMATIC_LEFT_OUT
        return None

    def _first_message(self, event: Event) -> Message | None:
        """The customer's first message among those that are known here and now."""
        messages = [
            item.message
            for item in self._known(event)
            if item.message is not None and can_be_text(item.message, self._config.language)
        ]
        return min(messages, key=_age_order, default=None)

    def _known(self, event: Event) -> list[Event]:
        """The event, and the messages of its conversation that wait behind it."""
        return [event] + [
            item
            for item in self._work.context.following(MESSAGE_CREATED)
            if item.source.id == event.source.id
            and item.conversation is not None
            and item.conversation.id == conversation_of(event).id
        ]

    def _named(self, event: Event) -> Conversation:
        """The conversation with the name of its inbox, if that was ever told."""
        conversation = conversation_of(event)
        names = [conversation_of(item).inbox_name for item in self._known(event)]
        told = next(filter(None, names), None)
        name = Inboxes(self._work.context).name(event.source, conversation.inbox_id, told)
        return replace(conversation, inbox_name=name)

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
        if not self._people.can_have_record(event):
            return self._nobody()
        person = self._people.ensure(event)
        notices = self._notices.about(person, contact_of(event), conversation_of(event).channel)
        if not self._config.use_contact:
            user_id = int(person.remote_id)
            fields = {"_users_id_requester": user_id}
            return Requester(fields, f"user {user_id}", notices=notices)
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
            notices=notices,
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
        notes = self._attachments.plan(first) if first else {}
        text, told = "", fingerprint("")
        if first is not None:
            shown = self._work.shown(first, first=True)
            text = message_mapper.body(shown, config.language, notes)
            told = digest(first, config.language, notes)
        customer = "" if requester.is_final else self._words_for(event.contact)
        content = mapper.content(event.source, conversation, text, config.language, customer)
        data = {
            **state_of(conversation),
            "customer": customer,
            "first_message": key(event, first.id) if first else None,
            "body": told,
            "text": fingerprint(content),
            "inbox": conversation.inbox_name,
            "notes": notes,
            DUE: self._attachments.is_due(notes),
            "unsolved": self._needs_solution(conversation),
            **self._requesters.noted(requester.fields, is_final=requester.is_final),
            "channel": conversation.channel,
            UNTOLD: list(requester.notices),
        }

        def create() -> Remote:
            values: dict[str, Any] = {
                "name": mapper.title(conversation, first.text if first else "", config.language),
                "content": self._work.html(content),
                "status": self._first_status(conversation),
                "priority": mapper.priority_of(conversation, config.priorities),
                "type": config.ticket_type,
                **requester.fields,
            }
            if config.entity_id is not None:
                values["entities_id"] = config.entity_id
            source = mapper.request_source(
                conversation, config.mail_source_id, config.request_source_id
            )
            if source is not None:
                values["requesttypes_id"] = source
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

    def _words_for(self, contact: Contact | None) -> str:
        """What is known of a customer who is not the ticket's requester."""
        if contact is None:
            return ""
        phone = phone_of(contact, self._config.default_region)
        return " · ".join(filter(None, [clean(contact.name), phone]))

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


def state_of(conversation: Conversation) -> dict[str, str]:
    """What of a conversation the ticket follows, in Chatwoot's words."""
    return {"status": conversation.status, "priority": conversation.priority or "none"}
