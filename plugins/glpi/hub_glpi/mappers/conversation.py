"""A conversation as a GLPI Ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Final

from hub.sdk import Conversation, Source
from hub_glpi import sentences
from hub_glpi.locale import phrase
from hub_glpi.mappers.contact import MAX_LENGTH, clean

NEW: Final = 1
PROCESSING: Final = 2
PLANNED: Final = 3
PENDING: Final = 4
SOLVED: Final = 5
CLOSED: Final = 6

#: The request source "e-mail" of a fresh GLPI. The setup looks whether it is so.
E_MAIL: Final = 2
_MAIL_CHANNEL: Final = "Channel::Email"

#: Marks the place of the customer's first message until there is one. People never see it, and
#: an edited text no longer has it.
_REFERENCE_END = "#"


def status_of(conversation: Conversation, statuses: Mapping[str, int]) -> int:
    """GLPI's status for the conversation's."""
    return statuses.get(conversation.status, statuses["open"])


def priority_of(conversation: Conversation, priorities: Mapping[str, int]) -> int:
    """GLPI's priority for the conversation's."""
    return priorities.get(conversation.priority or "none", priorities["none"])


def status_to_write(previous: int, target: int, current: int) -> int | None:
    """The status to write when Chatwoot went from ``previous`` to ``target`` (GLPI's numbers) and
    the ticket now has ``current``; ``None`` to leave it.

    A ticket that an agent solved or closed in GLPI is opened again only by a reopening, and a
    closed one is not turned back into a solved one.
    """
    if target in (current, previous):
        return None
    ended = (SOLVED, CLOSED)
    if current in ended and (target in ended or previous not in ended):
        return None
    return target


def request_source(
    conversation: Conversation, of_mails: int | None, chosen: int | None
) -> int | None:
    """GLPI's request source for the conversation: that of mails, or the one that the settings
    name. GLPI takes one that was deleted since, too, in silence."""
    return of_mails if of_mails and conversation.channel == _MAIL_CHANNEL else chosen


def reference(source: Source, conversation: Conversation) -> str:
    """What names the conversation in the ticket's content: its address, or an unmistakable text.

    It leads agents back, and it is the natural key by which a ticket is found again.
    """
    return conversation.url or (
        f"{source.kind}:{source.id}/conversations/{conversation.id}{_REFERENCE_END}"
    )


def title(conversation: Conversation, first_text: str, language: str) -> str:
    """The ticket's title: the subject, or the first words of the customer, or the number."""
    subject = clean(conversation.subject or "")
    if not subject:
        words = clean(first_text)
        subject = words if len(words) <= 80 else words[:79].rstrip() + "…"
    if not subject:
        subject = phrase(sentences.TITLE, language, number=conversation.id)
    return subject[:MAX_LENGTH]


def content(
    source: Source, conversation: Conversation, text_html: str, language: str, customer: str = ""
) -> str:
    """The ticket's content (HTML): the customer's first message, and the way back.

    ``customer`` says in words who writes, where no requester does.
    """
    body = text_html or f"<p>{escape(no_message_yet(language))}</p>"
    if customer:
        body += f"<p>{escape(customer)}</p>"
    name = conversation.inbox_name or source.kind.capitalize()
    label = phrase(sentences.WAY_BACK, language, number=conversation.id, inbox=name)
    way_back = reference(source, conversation)
    if conversation.url:
        address = escape(conversation.url, quote=True)
        return f'{body}<p><a href="{address}">{escape(label)}</a></p>'
    return f"{body}<p>{escape(label)} · {escape(way_back)}</p>"


def no_message_yet(language: str) -> str:
    """What stands in the ticket until the customer has written."""
    return phrase(sentences.NO_MESSAGE_YET, language)


def refers_to(content_html: str, reference_text: str) -> bool:
    """Whether a ticket's content leads back to this conversation, and not to one whose number
    begins so. Only the way back counts, which comes last: customers type addresses, too.
    """
    text, wanted = content_html, re.escape(reference_text) + r"(?![\w/?&=-])"
    # Versions differ in how often they encode.
    for _ in range(4):
        _, found, way_back = text.rpartition("<p>")
        if found and re.search(wanted, unescape(way_back)):
            return True
        text = unescape(text)
    return False


def server_time(moment: datetime, offset: int) -> str:
    """A moment as GLPI takes it: its own clock, no zone. ``offset`` in seconds from UTC."""
    local = moment.astimezone(UTC) + timedelta(seconds=offset)
    return local.strftime("%Y-%m-%d %H:%M:%S")


def words_for_time(moment: datetime, offset: int) -> str:
    """A moment as people read it, by GLPI's clock and with its zone: "2026-07-15 01:30 UTC+2"."""
    hours, minutes = divmod(abs(offset) // 60, 60)
    zone = f"{'-' if offset < 0 else '+'}{hours}{f':{minutes:02}' if minutes else ''}"
    return f"{server_time(moment, offset)[:16]} UTC{zone if offset else ''}"
