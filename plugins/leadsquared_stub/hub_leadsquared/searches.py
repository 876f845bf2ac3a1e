"""How far the search for a contact's lead has come, when LeadSquared asks for fewer calls.

On the smallest plan two searches use up all the calls that are allowed at once: a try that began
with them again would never come to the creation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.sdk import Event, Notes
from hub_leadsquared.work import Work, contact_key

_KIND: Final = "searched"
#: For how long it is taken for true.
_HOLDS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Progress:
    """Whether the lead was looked for in vain, and whether its creation was ``refused``, since
    another lead has the email or phone number."""

    searched: bool = False
    refused: bool = False


class Searches:
    """Remembers the progress of tries that were stopped by LeadSquared's limit."""

    def __init__(self, work: Work) -> None:
        self._notes = Notes(work.context, _KIND)
        self._clock = work.context.clock

    def resume(self, event: Event, keys: Sequence[str]) -> Progress:
        """The progress of the try before. Good for one try: how that ends may not be known."""
        data = self._notes.get(contact_key(event))
        if data is None:
            return Progress()
        self._notes.forget(contact_key(event))
        age = self._clock.now() - datetime.fromisoformat(data["at"])
        if data["keys"] != list(keys) or age >= _HOLDS:
            return Progress()
        # Version 1 remembered only searches in vain.
        return Progress(data.get("searched", True), data.get("refused", False))

    def keep(self, event: Event, keys: Sequence[str], progress: Progress) -> None:
        """Remember how far it came; LeadSquared refused to do more, so surely no lead was made."""
        if progress == Progress():
            return
        data = {
            "keys": list(keys),
            "at": self._clock.now().isoformat(),
            "searched": progress.searched,
            "refused": progress.refused,
        }
        self._notes.keep(contact_key(event), data)
