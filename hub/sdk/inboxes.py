"""Names of inboxes, for texts that people read.

In Chatwoot 4.15.1 only messages tell the name of their inbox, but an event of the conversation may
come first. So the names are remembered.
"""

from __future__ import annotations

from hub.sdk.events import Source
from hub.sdk.state import Notes, Remembering


class Inboxes:
    """What the inboxes of a hook's sources are called. Since SDK 1.1."""

    def __init__(self, context: Remembering) -> None:
        self._notes = Notes(context, "inbox")

    def name(self, source: Source, inbox_id: str | None, told: str | None) -> str | None:
        """The name ``told`` by an event, which is remembered; else the name that is remembered."""
        if inbox_id is None:
            return told
        local_id = f"{source.id}/{inbox_id}"
        known = (self._notes.get(local_id) or {}).get("name")
        if told is None:
            return None if known is None else str(known)
        if known != told:
            self._notes.keep(local_id, {"name": told})
        return told
