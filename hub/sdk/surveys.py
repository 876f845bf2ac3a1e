"""A customer's answer to a survey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.sdk.events import Message

#: The best rating in Chatwoot's surveys; the worst is 1.
BEST: Final = 5


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """A rating from 1 to ``best``, and the customer's remark."""

    rating: int
    remark: str = ""
    best: int = BEST

    @property
    def stars(self) -> str:
        """The rating as a row of stars."""
        return "★" * self.rating + "☆" * (self.best - self.rating)


def survey_answer(message: Message) -> SurveyAnswer | None:
    """The answer that a message holds; ``None`` if it is no survey, or not answered yet.

    Since SDK 1.1.
    """
    submitted = message.attributes.get("submitted_values")
    found = submitted.get("csat_survey_response") if isinstance(submitted, Mapping) else None
    rating = found.get("rating") if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping) or not isinstance(rating, int) or not 1 <= rating <= BEST:
        return None
    return SurveyAnswer(rating, str(found.get("feedback_message") or ""))
