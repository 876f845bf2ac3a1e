"""What the activities of a conversation say before anything else: what of its person is not proven.

A lead that was found by what somebody typed may be somebody else's. Who looks at the activity in
LeadSquared must know, and so must who wonders where a new address of the customer has gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hub.sdk import Event, Link
from hub_leadsquared import proof
from hub_leadsquared.locale import phrase
from hub_leadsquared.mappers.contact import lead_values
from hub_leadsquared.proof import Remark
from hub_leadsquared.work import Work, contact_of


class Notices:
    """Finds what is to be said of the person of a conversation."""

    def __init__(self, work: Work) -> None:
        self._config = work.config

    def due(self, event: Event, lead: Link, told: Collection[str] = ()) -> list[Remark]:
        """How the lead was found, and what of the contact stands otherwise in it; without what was
        ``told`` in the conversation before."""
        contact, conversation = contact_of(event), event.conversation
        channel = conversation.channel if conversation else None
        values = lead_values(contact, self._config.phone_field, self._config.region)
        found = proof.how_found(lead, contact, channel, values)
        others = proof.not_taken(values, proof.held(lead), self._config, contact)
        remarks = ([found] if found else []) + others
        return [remark for remark in remarks if remark.key not in told]

    def texts(self, remarks: Sequence[Remark]) -> list[str]:
        """Remarks in the language of the activities."""
        language = self._config.language
        return [phrase(remark.sentence, language, value=remark.value) for remark in remarks]
