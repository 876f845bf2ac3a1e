"""Messages as a transcript that fits into the note of an activity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from hub.sdk import Conversation
from hub_leadsquared import sentences
from hub_leadsquared.api.activities import NOTE_LENGTH
from hub_leadsquared.locale import phrase
from hub_leadsquared.mappers.conversation import head
from hub_leadsquared.mappers.message import Entry
from hub_leadsquared.mappers.text import cut, length

#: Characters for the messages; the rest of the note is for its head.
ROOM: Final = 1_800
#: Less of a message is not worth showing.
_LEAST: Final = 80
_BETWEEN: Final = "\n\n"


def transcript_note(
    conversation: Conversation,
    entries: Sequence[Entry],
    *,
    left_out: int,
    brand: str,
    zone: tzinfo,
    zone_name: str,
    language: str,
    notices: Sequence[str] = (),
) -> str:
    """The note of the activity for a resolved conversation, newest message first.

    Shows the newest messages that fit, and how many do not. ``left_out`` messages more were not
    even kept. ``notices`` stand before all.
    """
    title = phrase(sentences.NOTE_TRANSCRIPT, language, brand=brand)
    times = phrase(sentences.NOTE_ZONE, language, zone=zone_name)
    top = head(title, conversation, language, times, notices=notices)
    if not entries:
        return cut(top + _BETWEEN + phrase(sentences.NOTE_EMPTY, language), NOTE_LENGTH)
    earlier = _earlier(left_out + len(entries), language)
    room = min(ROOM, NOTE_LENGTH - length(top) - length(earlier) - 2 * len(_BETWEEN))
    shown = newest(entries, zone=zone, language=language, room=room)
    missing = left_out + len(entries) - len(shown)
    parts = [top, *shown, *([_earlier(missing, language)] if missing else [])]
    return _BETWEEN.join(parts)


def newest(entries: Sequence[Entry], *, zone: tzinfo, language: str, room: int) -> list[str]:
    """The newest entries that fit into ``room`` characters, newest first.

    A long message is cut, so that it neither ends the transcript nor takes all of its room.
    """
    ordered = sorted(entries, key=lambda entry: entry.order, reverse=True)
    longest = room if len(ordered) == 1 else room // 2
    shown: list[str] = []
    for entry in ordered:
        left = room - (len(_BETWEEN) if shown else 0)
        text = cut(entry.shown(zone, language), longest)
        if length(text) > left:
            if left >= _LEAST:
                shown.append(cut(text, left))
            break
        shown.append(text)
        room = left - length(text)
    return shown


def _earlier(count: int, language: str) -> str:
    return phrase(sentences.NOTE_EARLIER, language, count=count)
