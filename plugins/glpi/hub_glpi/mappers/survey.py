"""The answer to a survey as a followup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from hub.sdk import Contact, Message
from hub_glpi import sentences
from hub_glpi.locale import phrase
from hub_glpi.mappers.contact import clean
from hub_glpi.mappers.text import plain_to_html

#: The best rating of Chatwoot's surveys, which begin with 1.
BEST: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A rating from 1 to 5, and what the customer said to it."""

    rating: int
    remark: str = ""


def answer_of(message: Message) -> Answer | None:
    """What a customer answered to a survey; ``None`` if it is none, or not answered yet."""
    submitted = message.attributes.get("submitted_values")
    found = submitted.get("csat_survey_response") if isinstance(submitted, Mapping) else None
    rating = found.get("rating") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(rating, int) or not 1 <= rating <= BEST:
        return None
    return Answer(rating, str(found.get("feedback_message") or ""))


def told(answer: Answer, contact: Contact | None, language: str) -> str:
    """The followup's content (HTML)."""
    line = phrase(
        sentences.SURVEY,
        language,
        name=clean(contact.name if contact else "") or phrase(sentences.SENDER_CONTACT, language),
        stars="★" * answer.rating + "☆" * (BEST - answer.rating),
        rating=answer.rating,
        best=BEST,
    )
    return f"<p><strong>{escape(line)}</strong></p>{plain_to_html(answer.remark)}"
