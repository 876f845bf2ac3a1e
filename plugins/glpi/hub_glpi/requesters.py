"""Tickets that were made before it was known for whom.

They are remembered by contact, and get their requester when the contact has a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.sdk import Contact, Event, Link, Notes
from hub_glpi import sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.mappers.contact import email_of
from hub_glpi.notices import Notices
from hub_glpi.work import Work, contact_key

_KIND = "unclaimed"
#: In a ticket's link: who stands in for its requester, and whether GLPI chose somebody itself.
_STAND_IN = "stand_in"
_UNASKED = "unasked"


class Requesters:
    """Remembers tickets without requester, and gives them one."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._notes = Notes(work.context, _KIND)
        self._notices = Notices(work)

    def remember(self, event: Event, ticket_key: str) -> None:
        """Note that a ticket waits for its requester."""
        waiting = self._waiting(event)
        if ticket_key not in waiting:
            self._keep(event, [*waiting, ticket_key])

    def noted(self, fields: Mapping[str, Any], *, is_final: bool) -> dict[str, Any]:
        """What a new ticket's link remembers of its requester: who stands in for somebody who is
        not known yet (0: nobody), and whether GLPI has put somebody there unasked."""
        if is_final:
            return {}
        stand_in = int(fields["_users_id_requester"])
        return {_STAND_IN: stand_in, _UNASKED: not stand_in and self._unasked() is not None}

    def finish(self, ticket: Link) -> Link:
        """Take off whom GLPI has made requester unasked. Also when an earlier try was cut off."""
        if not ticket.data.get(_UNASKED):
            return ticket
        tickets = self._work.glpi.tickets
        for actor in tickets.requesters(int(ticket.remote_id)):
            if actor["users_id"] == self._unasked():
                tickets.remove_requester(int(actor["id"]))
        return self._links.update(ticket, data={**ticket.data, _UNASKED: False})

    def waits(self, ticket: Link) -> bool:
        """Whether the ticket was made for somebody who was not known."""
        return ticket.data.get(_STAND_IN) is not None

    def give(self, ticket: Link, person: Link, contact: Contact) -> None:
        """Make the person requester of a ticket that waits, whichever contact it was made for:
        two contacts may have been merged."""
        if self._work.config.use_contact and not email_of(contact):
            return
        self._claim(ticket, person, contact)
        self.note(person, ticket.local_id)
        self._work.say(sentences.REQUESTER_ADDED, count=1)

    def catch_up(self, event: Event, person: Link, contact: Contact) -> Link:
        """Make the person requester of the tickets that wait; answers the person's link."""
        waiting = self._waiting(event)
        if not waiting or (self._work.config.use_contact and not email_of(contact)):
            return person
        for ticket_key in waiting:
            ticket = self._links.get("ticket", ticket_key)
            if ticket is not None and not ticket.gone:
                self._claim(ticket, person, contact)
        self._keep(event, [])
        self._work.say(sentences.REQUESTER_ADDED, count=len(waiting))
        return self.note(person, waiting[-1])

    def note(self, person: Link, ticket_key: str) -> Link:
        """Note in a person's link which ticket is the latest."""
        return self._links.update(person, data={**person.data, "ticket": ticket_key})

    def _claim(self, ticket: Link, person: Link, contact: Contact) -> None:
        tickets = self._work.glpi.tickets
        use_contact = self._work.config.use_contact
        user_id = 0 if use_contact else int(person.remote_id)
        email = (email_of(contact) or "") if use_contact else ""
        number = int(ticket.remote_id)
        try:
            actors = tickets.requesters(number)
        except Missing:
            self._links.mark_gone(ticket, sentences.TICKET_PURGED.format(id=number))
            return
        if not any(_is(actor, user_id, email) for actor in actors):
            # Said before anybody sees the requester.
            texts = self._notices.about(person, contact, ticket.data.get("channel"))
            self._notices.add(ticket, texts)
            # A requester that somebody set in GLPI stays beside the customer.
            try:
                tickets.add_requester(number, user_id=user_id, email=email)
            except Refused as refused:
                # One ticket that GLPI keeps as it is must not hold up the person's record.
                self._work.context.progress(refused.sentence)
                return
        ours = {user for user in (ticket.data.get(_STAND_IN), self._unasked()) if user}
        for actor in actors:
            if actor["users_id"] in ours - {user_id}:
                tickets.remove_requester(int(actor["id"]))
        if ticket.data.get(_STAND_IN) is not None:
            self._links.update(ticket, data={**ticket.data, _STAND_IN: None})

    def _unasked(self) -> int | None:
        """The user whom GLPI makes requester of a ticket that names none: 9.5 the API's own."""
        config = self._work.config
        return config.api_user_id if config.version == 9 else None

    def _waiting(self, event: Event) -> list[str]:
        note = self._notes.get(contact_key(event)) or {}
        return list(note.get("tickets", []))

    def _keep(self, event: Event, tickets: list[str]) -> None:
        self._notes.keep(contact_key(event), {"tickets": tickets})


def _is(actor: Mapping[str, Any], user_id: int, email: str) -> bool:
    if user_id:
        return bool(actor["users_id"] == user_id)
    return str(actor.get("alternative_email") or "").casefold() == email.casefold()
