"""What is remembered of a conversation until its transcript is posted.

It stands in the connection's state, so it is small: no more messages are kept than a transcript
can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from hub_leadsquared.mappers.message import Entry

#: Characters of text kept per conversation: more than one note shows, so that a deleted message
#: leaves no gap.
MOST_TEXT: Final = 3_600
MOST_ENTRIES: Final = 100
#: Ids of messages that are dealt with, to recognise what comes twice.
MOST_COVERED: Final = 300
_LONGEST_INBOX: Final = 100
#: What an entry takes beside its text: time and name.
_OVERHEAD: Final = 25


@dataclass(frozen=True, slots=True)
class Draft:
    """A transcript that is about to be posted, or was when the worker died.

    It is kept before the call, so that the next try posts the very same note and can recognise
    it. ``at`` is UTC in ISO form; ``event`` the number of the event it was made for.
    """

    note: str
    at: str
    event: int
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notebook:
    """The messages of one conversation that no transcript has shown yet.

    ``posted`` is the number of transcripts, ``left_out`` of messages too old to be kept.
    ``covered`` are the ids of messages in transcripts, and of those left out. ``inbox`` is the
    inbox's name, which only messages tell. ``told`` are the remarks about the person that
    transcripts have begun with, ``telling`` those of the draft.
    """

    entries: tuple[Entry, ...] = ()
    covered: tuple[str, ...] = ()
    left_out: int = 0
    posted: int = 0
    draft: Draft | None = None
    inbox: str = ""
    told: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Self:
        """The notebook of what ``as_data`` wrote, here or in another version of this plugin: what
        is not known is left out, and what is missing is empty."""
        if not data:
            return cls()
        draft = data.get("draft")
        return cls(
            entries=tuple(Entry.from_data(item) for item in data.get("entries", ())),
            covered=tuple(data.get("covered", ())),
            left_out=data.get("left_out", 0),
            posted=data.get("posted", 0),
            inbox=data.get("inbox", ""),
            # Version 1 told nothing of the person.
            told=tuple(data.get("told", ())),
            telling=tuple(data.get("telling", ())),
            draft=Draft(
                note=draft["note"],
                at=draft["at"],
                event=draft["event"],
                count=draft["count"],
                ids=tuple(draft["ids"]),
            )
            if draft
            else None,
        )

    def as_data(self) -> dict[str, Any]:
        """The notebook as JSON data."""
        draft = self.draft
        return {
            "entries": [entry.as_data() for entry in self.entries],
            "covered": list(self.covered),
            "left_out": self.left_out,
            "posted": self.posted,
            "inbox": self.inbox,
            "told": list(self.told),
            "telling": list(self.telling),
            "draft": {
                "note": draft.note,
                "at": draft.at,
                "event": draft.event,
                "count": draft.count,
                "ids": list(draft.ids),
            }
            if draft
            else None,
        }

    def has_covered(self, message_id: str) -> bool:
        """Whether the message is dealt with."""
        return message_id in self.covered

    def holds(self, message_id: str) -> bool:
        """Whether the message waits for a transcript."""
        return any(entry.id == message_id for entry in self.entries)

    def begins_with(self, message_id: str) -> bool:
        """Whether the message is the first of the conversation, or would be."""
        if self.posted or self.left_out:
            return False
        return not self.entries or self.entries[0].id == message_id

    def with_entries(self, new: Iterable[Entry]) -> Self:
        """With these messages too, or in place of those of the same id, unless covered."""
        by_id = {entry.id: entry for entry in self.entries}
        by_id.update({entry.id: entry for entry in new if not self.has_covered(entry.id)})
        ordered = sorted(by_id.values(), key=lambda entry: entry.order)
        kept = _newest(ordered)
        too_old = ordered[: len(ordered) - len(kept)]
        return replace(
            self,
            entries=tuple(kept),
            left_out=self.left_out + len(too_old),
            covered=self._covering(entry.id for entry in too_old),
        )

    def of_inbox(self, name: str | None) -> Self:
        """With the name of the conversation's inbox, if it is known."""
        return replace(self, inbox=name[:_LONGEST_INBOX]) if name else self

    def without(self, message_id: str) -> Self:
        """Without a message that was deleted."""
        return replace(
            self, entries=tuple(entry for entry in self.entries if entry.id != message_id)
        )

    def drafted(self, draft: Draft, telling: Iterable[str] = ()) -> Self:
        """With a transcript about to be posted, and the remarks that it begins with."""
        return replace(self, draft=draft, telling=tuple(telling))

    def undrafted(self) -> Self:
        """Without the transcript, which LeadSquared refused."""
        return replace(self, draft=None, telling=())

    def delivered(self) -> Self:
        """After the draft was posted."""
        assert self.draft is not None, "only a draft can be delivered"
        shown = self.draft.ids
        return replace(
            self,
            entries=tuple(entry for entry in self.entries if entry.id not in shown),
            covered=self._covering(shown),
            left_out=0,
            posted=self.posted + 1,
            draft=None,
            told=(*self.told, *self.telling),
            telling=(),
        )

    def _covering(self, ids: Iterable[str]) -> tuple[str, ...]:
        return (*self.covered, *ids)[-MOST_COVERED:]


def _newest(ordered: list[Entry]) -> list[Entry]:
    """The newest entries within the limits, oldest first; at least one."""
    kept: list[Entry] = []
    room = MOST_TEXT
    for entry in reversed(ordered):
        size = len(entry.text) + _OVERHEAD
        if kept and (size > room or len(kept) >= MOST_ENTRIES):
            break
        kept.append(entry)
        room -= size
    return kept[::-1]
