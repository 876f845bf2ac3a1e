"""What is said of a ticket to technicians only: that its requester is not proven."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.sdk import Contact, Link, Remote
from hub_glpi import proof, rights
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.followup_search import finder, natural_key
from hub_glpi.locale import phrase
from hub_glpi.mappers.contact import contact_values, user_values
from hub_glpi.mappers.text import escaped, fingerprint
from hub_glpi.proof import Remark
from hub_glpi.work import Work

#: The kind of their links.
_KIND: Final = "notice"


class Notices:
    """Adds private followups about the requester, each once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._config = work.config
        self._links = work.context.links

    def about(self, person: Link, contact: Contact, channel: str | None) -> list[str]:
        """What is to be said in a new ticket of the person: how the record was found, and what of
        the contact stands otherwise in it. In the language of the tickets."""
        region = self._config.default_region
        values_of = contact_values if self._config.use_contact else user_values
        found = proof.how_found(person, contact, channel, region)
        others = proof.not_taken(values_of(contact, region), proof.held(person), contact)
        return self.texts(([found] if found else []) + others)

    def texts(self, remarks: Sequence[Remark]) -> list[str]:
        """Remarks in the language of the tickets."""
        language = self._config.language
        return [phrase(item.sentence, language, value=item.value) for item in remarks]

    def add(self, ticket: Link, texts: Sequence[str]) -> None:
        """Say these things in one private followup, if they were not said there before.

        :raises NeedsAttention: a right is missing that messages need, too.
        """
        if not texts or ticket.gone:
            return
        content = "".join(escaped(text) for text in texts)
        local_id = f"{ticket.local_id}/{fingerprint(content)}"

        def create() -> Remote:
            values = {"content": self._work.html(content), "is_private": 1}
            (made,) = self._work.glpi.followups.create_each(int(ticket.remote_id), [values])
            if isinstance(made, Refused):
                raise made
            return Remote(str(made), url=ticket.url)

        try:
            self._links.create_once(
                _KIND,
                local_id,
                create=create,
                find=finder(self._work, _KIND, ticket, lambda _: {}),
                natural_key=natural_key(content),
            )
        except Refused as refused:
            self._explain(ticket, refused)

    def _explain(self, ticket: Link, refused: Refused) -> None:
        """A ticket that takes no followup must not hold up the conversation; a right that is
        missing does, as it does for messages."""
        try:
            is_there = not self._work.glpi.tickets.get(int(ticket.remote_id)).get("is_deleted")
        except Missing:
            is_there = False
        if is_there and self._config.sync_followups:
            error = rights.explain(self._work.glpi, refused, rights.ADD_FOLLOWUPS)
            if error is not refused:
                raise error from refused
        self._work.context.progress(refused.sentence)
