"""A message as a line of a transcript: what is kept of it, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, Self

from hub.sdk import Attachment, Event, Message, Quotations, SurveyAnswer, readable
from hub_leadsquared import sentences
from hub_leadsquared.locale import phrase
from hub_leadsquared.mappers.text import cut, fingerprint, lines, one_line

#: No more of a message is ever shown, so no more is kept. Characters.
KEPT_TEXT: Final = 1_800
_LONGEST_NAME: Final = 80
_MOST_ATTACHMENTS: Final = 5
#: Kinds of attachments that are no files: what they say is part of the text.
_WORDS: Final = {"location": sentences.NOTE_PLACE, "contact": sentences.NOTE_CARD}
_KINDS: Final = {
    "contact": sentences.NOTE_CUSTOMER,
    "user": sentences.NOTE_AGENT,
    "bot": sentences.NOTE_BOT,
    "assistant": sentences.NOTE_BOT,
    "system": sentences.NOTE_SYSTEM,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. ``at`` is UTC in ISO form, ``kind`` the sender's, ``files`` the kinds."""

    id: str
    at: str
    name: str
    kind: str
    text: str
    files: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        message: Message,
        event: Event,
        language: str,
        quotations: Quotations = "cut",
        *,
        first: bool = False,
    ) -> Self:
        """What a transcript needs of a message, which may be the ``first`` of its conversation."""
        at = (message.created_at or event.occurred_at).astimezone(UTC)
        attached = message.attachments[:_MOST_ATTACHMENTS]
        words = [_words(item, language) for item in attached]
        said = readable(message, quotations, first=first)
        count = message.missing_files
        missing = phrase(sentences.NOTE_MISSING, language, count=count) if count else ""
        text = "\n".join(filter(None, [said, *words, missing]))
        return cls(
            id=message.id,
            at=at.isoformat(timespec="seconds"),
            name=phrase(sentences.NOTE_FROM_PHONE, language)
            if message.from_phone
            else cut(one_line(message.sender.name), _LONGEST_NAME),
            kind=message.sender.kind,
            text=cut(lines(text), KEPT_TEXT),
            files=tuple(item.kind for item, said in zip(attached, words, strict=True) if not said),
        )

    @classmethod
    def of_survey(cls, answer: SurveyAnswer, event: Event, number: str, language: str) -> Self:
        """What a customer answered to the survey that is the message of this number."""
        rating = phrase(
            sentences.NOTE_RATING,
            language,
            stars=answer.stars,
            rating=answer.rating,
            best=answer.best,
        )
        text = cut(lines(f"{rating}\n{answer.remark}"), KEPT_TEXT)
        return cls(
            # Of another answer to the same survey it is told apart.
            id=f"{number}/{fingerprint(text)[:8]}",
            at=event.occurred_at.astimezone(UTC).isoformat(timespec="seconds"),
            name=cut(one_line(event.contact.name if event.contact else ""), _LONGEST_NAME),
            kind="contact",
            text=text,
        )

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """The entry of what ``as_data`` wrote, here or in another version of this plugin."""
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        return cls(**{**known, "files": tuple(data.get("files", ()))})

    def as_data(self) -> dict[str, Any]:
        """The entry as JSON data."""
        return {**asdict(self), "files": list(self.files)}

    @property
    def order(self) -> tuple[str, int, str]:
        """Sorts entries as they were said: by time, then by number."""
        return self.at, int(self.id) if self.id.isdigit() else 0, self.id

    def shown(self, zone: tzinfo, language: str) -> str:
        """``[2026-07-14 10:00] Ann: Hello`` and a line that names attachments."""
        time = datetime.fromisoformat(self.at).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        name = self.name or phrase(_KINDS[self.kind], language)
        files = ", ".join(
            phrase(sentences.NOTE_ATTACHMENT, language, kind=kind) for kind in self.files
        )
        text = self.text or ("" if files else phrase(sentences.NOTE_NO_TEXT, language))
        return f"[{time}] {name}: " + "\n".join(filter(None, (text, files)))


def _words(item: Attachment, language: str) -> str:
    """A place ("Location: Plaza 1 (40.416800, -3.703800)") or a contact card; "" for a file."""
    said = one_line(item.title or "")
    if item.latitude is not None and item.longitude is not None:
        said = f"{said} ({item.latitude:.6f}, {item.longitude:.6f})".strip()
    if item.kind not in _WORDS or not said:
        return ""
    return phrase(_WORDS[item.kind], language, what=said)
