"""A conversation as the note of an activity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from hub.sdk import Conversation
from hub_leadsquared import sentences
from hub_leadsquared.api.activities import NOTE_LENGTH
from hub_leadsquared.locale import phrase
from hub_leadsquared.mappers.text import cut, one_line

_LONGEST_PART: Final = 60
_LONGEST_LINK: Final = 300
#: Chatwoot's kinds of channels whose names people would not know.
_CHANNELS: Final = {
    "WebWidget": "Website",
    "Whatsapp": "WhatsApp",
    "Api": "API",
    "FacebookPage": "Facebook",
    "TwilioSms": "SMS",
    "Sms": "SMS",
    "Tiktok": "TikTok",
}


def started_note(
    conversation: Conversation,
    at: datetime,
    *,
    brand: str,
    zone: tzinfo,
    zone_name: str,
    language: str,
    notices: Sequence[str] = (),
) -> str:
    """The note of the activity for a new conversation; the time in the account's zone."""
    time = at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    shown = phrase(sentences.NOTE_CREATED, language, time=f"{time} ({zone_name})")
    title = phrase(sentences.NOTE_STARTED, language, brand=brand)
    return cut(head(title, conversation, language, shown, notices=notices), NOTE_LENGTH)


def head(
    title: str,
    conversation: Conversation,
    language: str,
    *more: str,
    notices: Sequence[str] = (),
) -> str:
    """The first lines of a note: what is to be known before all (``notices``), what it is, and
    where it comes from."""
    channel = one_line(conversation.inbox_name or _channel(conversation))
    number = cut(one_line(conversation.id), _LONGEST_PART)
    parts = [*notices, cut(title, 2 * _LONGEST_PART)]
    if channel:
        channel = cut(channel, _LONGEST_PART)
        parts.append(phrase(sentences.NOTE_CHANNEL, language, channel=channel))
    parts.append(phrase(sentences.NOTE_NUMBER, language, number=number))
    # Half an address would lead nowhere.
    if conversation.url and len(conversation.url) <= _LONGEST_LINK:
        parts.append(phrase(sentences.NOTE_LINK, language, url=conversation.url))
    return "\n".join([*parts, *more])


def _channel(conversation: Conversation) -> str:
    """What people call the kind of channel: ``Channel::WebWidget`` -> ``Website``."""
    kind = (conversation.channel or "").rpartition("::")[2]
    return _CHANNELS.get(kind, kind)
