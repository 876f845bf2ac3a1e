"""What the links remember of a message, by which it is seen whether a message has changed.

It is apart from how messages are shown, and must stay as version 1 of this plugin worked it out:
with another digest every followup of that version would seem changed, and be written anew over
what people may have made of it in GLPI.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from hub.sdk import Attachment, Message
from hub_glpi import sentences
from hub_glpi.locale import phrase
from hub_glpi.mappers.message import Notes, answers_in, attachment_name, size_in_words
from hub_glpi.mappers.text import escaped, fingerprint, plain_markdown_to_html


def digest(message: Message, language: str, notes: Notes | None = None) -> str:
    """What of a followup depends on its message alone; ``notes`` on attachments by their id."""
    return "deleted" if message.deleted else fingerprint(first_body(message, language, notes))


def first_body(message: Message, language: str, notes: Notes | None = None) -> str:
    """The message as version 1 showed it (HTML)."""
    is_plain = message.direction == "incoming"
    text = (escaped if is_plain else plain_markdown_to_html)(message.text)
    answers = answers_in(message)
    if answers:
        text += escaped("\n".join(answers))
    lines = [
        f"<li>{_attachment(item, language)}{escape(f' ({note})') if note else ''}</li>"
        for item in message.attachments
        for note in [(notes or {}).get(item.id or "", "")]
    ]
    return text + (f"<ul>{''.join(lines)}</ul>" if lines else "")


def _attachment(item: Attachment, language: str) -> str:
    label = escape(attachment_name(item))
    if item.latitude is not None and item.longitude is not None:
        place = f"{item.latitude:.6f}, {item.longitude:.6f}"
        label = escape(f"{phrase(sentences.LOCATION, language)} {item.title or ''}".strip())
        label = f"{label} ({place})"
    if item.url and urlsplit(item.url).scheme in ("http", "https"):
        size = f" ({size_in_words(item.size)})" if item.size else ""
        return f'<a href="{escape(item.url, quote=True)}">{label}</a>{size}'
    return label
