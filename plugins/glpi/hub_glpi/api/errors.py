"""What GLPI's error answers mean.

GLPI answers an error as ``[code, message]``. The message follows the server's language, so only
the code decides; the table says what each one means for a delivery. Source of the codes: recorded
transcripts of GLPI 10.0.14 and 9.5.13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, Final

from hub.sdk import HubError, NeedsAttention, Rejected, RetryLater
from hub_glpi import sentences


class Refused(Rejected):
    """GLPI refused to add or change something; ``reason`` is its own text, in its language.

    ``parts`` are the answers for each thing when several were sent. ``nameless`` means that GLPI
    gave no reason at all, which is how it answers a change of something that does not exist.
    """

    def __init__(
        self, sentence: str, *, reason: str = "", parts: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.parts = parts

    @property
    def nameless(self) -> bool:
        """Whether GLPI named no reason."""
        return not self.reason and not self.parts


class Missing(Rejected):
    """What was asked for does not exist in GLPI."""


class NotAllowed(NeedsAttention):
    """The API user lacks a right, or the thing lies outside of its entities."""


class SessionGone(RetryLater):
    """GLPI no longer knows the session token. The caller signs in again, once."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means: the SDK error, the sentence, and the setting to mend."""

    error: type[HubError]
    sentence: str
    field: str | None = None


#: One row an error code. ``{reason}`` stands for GLPI's own text.
TABLE: Final[Mapping[str, Meaning]] = {
    # Signing in.
    "ERROR_APP_TOKEN_PARAMETERS_MISSING": Meaning(
        NeedsAttention, sentences.APP_TOKEN_MISSING, "app_token"
    ),
    "ERROR_WRONG_APP_TOKEN_PARAMETER": Meaning(
        NeedsAttention, sentences.APP_TOKEN_WRONG, "app_token"
    ),
    "ERROR_GLPI_LOGIN_USER_TOKEN": Meaning(
        NeedsAttention, sentences.USER_TOKEN_WRONG, "user_token"
    ),
    "ERROR_GLPI_LOGIN": Meaning(NeedsAttention, sentences.USER_TOKEN_WRONG, "user_token"),
    "ERROR_LOGIN_PARAMETERS_MISSING": Meaning(
        NeedsAttention, sentences.USER_TOKEN_MISSING, "user_token"
    ),
    "ERROR_LOGIN_WITH_CREDENTIALS_DISABLED": Meaning(
        NeedsAttention, sentences.USER_TOKEN_WRONG, "user_token"
    ),
    "ERROR_NOT_ALLOWED_IP": Meaning(NeedsAttention, sentences.ADDRESS_NOT_ALLOWED, "app_token"),
    # Sessions.
    "ERROR_SESSION_TOKEN_MISSING": Meaning(SessionGone, sentences.SESSION_GONE),
    "ERROR_SESSION_TOKEN_INVALID": Meaning(SessionGone, sentences.SESSION_GONE),
    # Rights and things.
    "ERROR_RIGHT_MISSING": Meaning(NotAllowed, sentences.RIGHT_MISSING, "user_token"),
    "ERROR_ITEM_NOT_FOUND": Meaning(Missing, sentences.NOT_FOUND),
    "ERROR_GLPI_ADD": Meaning(Refused, sentences.REFUSED_ADD),
    "ERROR_GLPI_UPDATE": Meaning(Refused, sentences.REFUSED_UPDATE),
    "ERROR_GLPI_DELETE": Meaning(Refused, sentences.REFUSED_DELETE),
    "ERROR_GLPI_PARTIAL_ADD": Meaning(Refused, sentences.REFUSED_ADD),
    "ERROR_GLPI_PARTIAL_UPDATE": Meaning(Refused, sentences.REFUSED_UPDATE),
    # Requests that GLPI cannot read: a fault of ours, or a version we do not know.
    "ERROR": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_RESOURCE_NOT_FOUND_NOR_COMMONDBTM": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_RESOURCE_MISSING": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_METHOD_NOT_ALLOWED": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_JSON_PAYLOAD_INVALID": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_JSON_PAYLOAD_FORBIDDEN": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_BAD_ARRAY": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_RANGE_EXCEED_TOTAL": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_FIELD_NOT_FOUND": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
    "ERROR_SEARCH_OPTION_NOT_FOUND": Meaning(Rejected, sentences.NOT_UNDERSTOOD),
}

_UNKNOWN = Meaning(Rejected, sentences.NOT_UNDERSTOOD)
_API_DISABLED = Meaning(NeedsAttention, sentences.API_DISABLED, "api_url")


def error_of(body: Sequence[Any], *, signing_in: bool = False) -> HubError:
    """The SDK error for an error answer, a list that begins with the code."""
    code = str(body[0]) if body else ""
    detail = body[1] if len(body) > 1 else None
    meaning = TABLE.get(code, _UNKNOWN)
    # Code ERROR stands for anything; where the API is switched off, its text names the API in
    # every language, and at sign-in nothing else has been seen.
    if code == "ERROR" and (signing_in or "API" in str(detail)):
        meaning = _API_DISABLED
    reason = reason_of(detail)
    sentence = meaning.sentence.format(reason=reason or code)
    if issubclass(meaning.error, Refused):
        parts = detail if isinstance(detail, list) else ()
        return meaning.error(
            sentence, reason=reason, parts=[part for part in parts if isinstance(part, dict)]
        )
    if issubclass(meaning.error, NeedsAttention):
        return meaning.error(sentence, field=meaning.field)
    return meaning.error(sentence)


def reason_of(detail: Any) -> str:
    """GLPI's own text out of an answer's second part, on one line and without its help link."""
    if isinstance(detail, list):
        texts = [str(part.get("message", "")) for part in detail if isinstance(part, dict)]
        detail = next(filter(None, texts), "")
    if not isinstance(detail, str):
        return ""
    text, *_ = unescape(detail).split("; view documentation")
    return " ".join(text.split())[:300].rstrip(".")
