"""Writing into leads that exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.sdk import Rejected
from hub_leadsquared import sentences
from hub_leadsquared.api.errors import Duplicate, LeadGone
from hub_leadsquared.api.leads import EMAIL, MOBILE, PHONE
from hub_leadsquared.work import Work

#: Attributes that no two leads may share, unless the customer set it otherwise.
UNIQUE: Final = (EMAIL, PHONE, MOBILE)


class Writes:
    """Changes leads, as far as LeadSquared takes it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._leads = work.leadsquared.leads

    def fill(self, lead_id: str, patch: Mapping[str, str]) -> bool:
        """Complete a lead; whether LeadSquared took it.

        :raises LeadGone: there is no such lead any more.
        """
        try:
            self._write(lead_id, patch)
        except LeadGone:
            raise
        except Rejected as rejected:
            # Worth a word, but no reason to leave the customer without a lead.
            self._work.say(sentences.NOT_COMPLETED, reason=rejected.sentence)
            return False
        return True

    def what_fits(self, lead_id: str, patch: Mapping[str, str]) -> Mapping[str, str]:
        """Write; without email and phone number where another lead has them. What was written.

        :raises LeadGone: there is no such lead any more.
        """
        try:
            self._write(lead_id, patch)
        except Duplicate:
            rest = {name: value for name, value in patch.items() if name not in UNIQUE}
            taken = {name: value for name, value in patch.items() if name in UNIQUE}
            self._work.say(sentences.TAKEN_BY_OTHER, fields=fields(taken))
            if rest:
                self._write(lead_id, rest)
            return rest
        return patch

    def _write(self, lead_id: str, patch: Mapping[str, str]) -> None:
        automations = self._work.config.run_automations
        self._leads.update(lead_id, patch, run_automations=automations)


def fields(values: Mapping[str, str]) -> str:
    """The names of attributes, for people."""
    return ", ".join(sorted(values))
