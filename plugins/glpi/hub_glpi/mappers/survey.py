"""The answer to a survey as a followup."""

from __future__ import annotations

from html import escape

from hub.sdk import Contact, SurveyAnswer
from hub_glpi import sentences
from hub_glpi.locale import phrase
from hub_glpi.mappers.contact import clean
from hub_glpi.mappers.text import plain_to_html


def told(answer: SurveyAnswer, contact: Contact | None, language: str) -> str:
    """The followup's content (HTML)."""
    line = phrase(
        sentences.SURVEY,
        language,
        name=clean(contact.name if contact else "") or phrase(sentences.SENDER_CONTACT, language),
        stars=answer.stars,
        rating=answer.rating,
        best=answer.best,
    )
    return f"<p><strong>{escape(line)}</strong></p>{plain_to_html(answer.remark)}"
