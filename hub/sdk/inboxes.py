"""Names of inboxes, for texts that people read.

Only messages tell the name of their inbox (Chatwoot 4.15.1), while a conversation may come first.
"""

from __future__ import annotations

from typing import Final

from hub.sdk.events import Source
from hub.sdk.links import Links, Remote

_KIND: Final = "inbox"


class Inboxes:
    """What the inboxes of a hook's sources are called. Since SDK 1.1."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def name(self, source: Source, inbox_id: str | None, told: str | None) -> str | None:
        """The name that an event tells, which is remembered, or else the one told before."""
        if inbox_id is None:
            return told
        local_id = f"{source.id}/{inbox_id}"
        known = self._links.get(_KIND, local_id)
        if told is None:
            return str(known.data["name"]) if known else None
        if known is None or known.data["name"] != told:
            # Nothing remote stands behind it: the link is a memory that outlives the worker.
            self._links.adopt(_KIND, local_id, Remote(local_id, data={"name": told}))
        return told
