"""A message as a GLPI followup, or as the text of a ticket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from hub.sdk import Attachment, Message
from hub_glpi import sentences
from hub_glpi.locale import phrase
from hub_glpi.mappers.contact import clean
from hub_glpi.mappers.text import markdown_to_html, plain_to_html

#: Where a place is shown, for those who open it.
_MAP: Final = (
    "https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}"
)
#: The kind of an attachment -> its word.
_KINDS: Final[Mapping[str, str]] = {
    "image": sentences.KIND_PICTURE,
    "audio": sentences.KIND_AUDIO,
    "video": sentences.KIND_VIDEO,
}
#: What became of a message's files, by attachment id: why one is not stored in GLPI, or ``None``
#: for one that is, or is about to be. GLPI shows a stored file itself, so the text does not.
Notes = Mapping[str, str | None]


def body(message: Message, language: str, notes: Notes | None = None) -> str:
    """The message as HTML: its text, what was answered in it, and what GLPI does not store of its
    attachments. A message of stored files alone says what they are, since GLPI wants a text.
    """
    is_markdown = message.direction != "incoming" and not message.from_phone
    text = (markdown_to_html if is_markdown else plain_to_html)(message.text)
    answers = answers_in(message)
    if answers:
        text += plain_to_html("\n".join(answers))
    text += attachments(message.attachments, language, notes or {})
    text += _missing(message.missing_files, language)
    return text or _stand_in(message.attachments, language)


def followup(message: Message, head: str, language: str, notes: Notes | None = None) -> str:
    """A followup's content: who and when (``head``, where it is needed), and the message.

    "" if it is empty.
    """
    text = body(message, language, notes)
    return head + text if text else ""


def head(message: Message, language: str, sent_at: str = "") -> str:
    """The line that says who wrote a message, and when: ``sent_at`` in words for people."""
    words = " · ".join(filter(None, [sender_name(message, language), sent_at]))
    return f"<p><strong>{escape(words)}</strong></p>"


def deleted(head: str, language: str) -> str:
    """What stands in place of a message that was deleted, after its ``head``."""
    return f"{head}<p><em>{escape(phrase(sentences.MESSAGE_DELETED, language))}</em></p>"


def sender_name(message: Message, language: str) -> str:
    """Who wrote it, in words."""
    if message.from_phone:
        return phrase(sentences.FROM_PHONE, language)
    name = clean(message.sender.name)
    kinds = {
        "contact": sentences.SENDER_CONTACT,
        "user": sentences.SENDER_USER,
        "bot": sentences.SENDER_BOT,
        "assistant": sentences.SENDER_ASSISTANT,
        "system": sentences.SENDER_SYSTEM,
    }
    return name or phrase(kinds[message.sender.kind], language)


def attachments(items: Sequence[Attachment], language: str, notes: Notes) -> str:
    """A list of the attachments that GLPI does not store, as links where there is something to
    open.
    """
    lines = []
    for item in items:
        note = notes.get(item.id or "", "")
        if note is None:
            continue
        line = _attachment(item, language)
        lines.append(f"<li>{line}{escape(f' ({note})') if note else ''}</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _missing(count: int, language: str) -> str:
    """That the message had files which the source does not tell."""
    if not count:
        return ""
    sentence = sentences.FILE_MISSING if count == 1 else sentences.FILES_MISSING
    return f"<p><em>{escape(phrase(sentence, language, count=count))}</em></p>"


def _stand_in(items: Sequence[Attachment], language: str) -> str:
    """What the files of a message are: "Picture (2), File"."""
    kinds = Counter(_KINDS.get(item.kind, sentences.KIND_FILE) for item in items)
    words = [
        phrase(kind, language) + (f" ({count})" if count > 1 else "")
        for kind, count in kinds.items()
    ]
    return f"<p>{escape(', '.join(words))}</p>" if words else ""


def attachment_name(item: Attachment) -> str:
    """A file name for people: the attachment's, or the end of its address, or its kind."""
    last_part = urlsplit(item.url or "").path.rpartition("/")[2]
    return clean(item.name or item.title or last_part or item.kind)[:200]


def _attachment(item: Attachment, language: str) -> str:
    label, address = escape(attachment_name(item)), item.url or ""
    if item.latitude is not None and item.longitude is not None:
        place = f"{item.latitude:.6f}, {item.longitude:.6f}"
        label = escape(f"{phrase(sentences.LOCATION, language)} {item.title or ''}".strip())
        label = f"{label} ({place})"
        address = address or _MAP.format(latitude=item.latitude, longitude=item.longitude)
    if urlsplit(address).scheme in ("http", "https"):
        size = f" ({size_in_words(item.size)})" if item.size else ""
        return f'<a href="{escape(address, quote=True)}">{label}</a>{size}'
    return label


def size_in_words(size: int) -> str:
    """Bytes as people say it."""
    number, unit = float(size), "B"
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1024 or unit == "GB":
            break
        number /= 1024
    return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"


def answers_in(message: Message) -> list[str]:
    """What a person chose or typed into a form or list that the message showed."""
    submitted = message.attributes.get("submitted_values")
    items = submitted if isinstance(submitted, list) else []
    lines = [_answer(item) for item in items if isinstance(item, Mapping)]
    if isinstance(submitted, Mapping) and (csat := submitted.get("csat_survey_response")):
        lines = [_answer(csat)] if isinstance(csat, Mapping) else []
    return [line for line in lines if line]


def _answer(item: Mapping[str, Any]) -> str:
    name = item.get("title") or item.get("name") or ""
    value = item.get("value") if item.get("value") is not None else item.get("rating", "")
    remark = item.get("feedback_message") or ""
    return " ".join(str(part) for part in (f"{name}:" if name else "→", value, remark) if part)
