"""Tickets that were made before it was known for whom.

They are remembered by contact, and get their requester when the contact has a record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.sdk import Contact, Event, Link, Remote
from hub_glpi import sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.mappers.contact import email_of
from hub_glpi.work import Work, contact_key

_KIND = "unclaimed"


class Requesters:
    """Remembers tickets without requester, and gives them one."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links

    def remember(self, event: Event, ticket_key: str) -> None:
        """Note that a ticket waits for its requester."""
        waiting = self._waiting(event)
        if ticket_key not in waiting:
            self._keep(event, [*waiting, ticket_key])

    def catch_up(self, event: Event, person: Link, contact: Contact) -> None:
        """Make the person requester of the tickets that wait."""
        waiting = self._waiting(event)
        email = email_of(contact) or ""
        if not waiting or (self._work.config.use_contact and not email):
            return
        user_id = 0 if self._work.config.use_contact else int(person.remote_id)
        for ticket_key in waiting:
            ticket = self._links.get("ticket", ticket_key)
            if ticket is not None and not ticket.gone:
                self._claim(ticket, user_id, email if user_id == 0 else "")
        self._keep(event, [])
        self._work.say(sentences.REQUESTER_ADDED, count=len(waiting))

    def _claim(self, ticket: Link, user_id: int, email: str) -> None:
        tickets = self._work.glpi.tickets
        number = int(ticket.remote_id)
        try:
            actors = tickets.requesters(number)
        except Missing:
            self._links.mark_gone(ticket, sentences.TICKET_PURGED.format(id=number))
            return
        if not any(_is(actor, user_id, email) for actor in actors):
            try:
                tickets.add_requester(number, user_id=user_id, email=email)
            except Refused as refused:
                # One ticket that GLPI keeps as it is must not hold up the person's record.
                self._work.context.progress(refused.sentence)
                return
        # GLPI 9.5 makes the API user requester of a ticket that names none.
        api_user = self._work.config.api_user_id
        for actor in actors:
            if self._work.config.version == 9 and api_user and actor["users_id"] == api_user:
                tickets.remove_requester(int(actor["id"]))

    def _waiting(self, event: Event) -> list[str]:
        link = self._links.get(_KIND, contact_key(event))
        return list(link.data.get("tickets", [])) if link else []

    def _keep(self, event: Event, tickets: list[str]) -> None:
        local_id = contact_key(event)
        self._links.adopt(_KIND, local_id, Remote(local_id, data={"tickets": tickets}))


def _is(actor: Mapping[str, Any], user_id: int, email: str) -> bool:
    if user_id:
        return bool(actor["users_id"] == user_id)
    return str(actor.get("alternative_email") or "").casefold() == email.casefold()
