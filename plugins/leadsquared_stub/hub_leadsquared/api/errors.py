"""What LeadSquared's exceptions mean.

An exception is an object ``{"Status": "Error", "ExceptionType", "ExceptionMessage"}``, with
status 200 or 500. Names that begin with MX are errors of the request and not worth a retry;
others are errors of the server, which are. Source: LeadSquared's documentation, "Async API", and
what Chatwoot's own integration met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from hub.sdk import HubError, NeedsAttention, Rejected, RetryLater
from hub_leadsquared import sentences

#: Seconds to pause after "too many calls". LeadSquared counts calls in windows of 5 seconds and
#: sends no Retry-After.
PAUSE: Final = 5.0
_REASON: Final = 300


class Duplicate(Rejected):
    """Another lead has a value that must be unique: email or phone, unless set otherwise."""


class LeadGone(Rejected):
    """The lead was deleted, or merged into another."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an exception means: the SDK error, the sentence, and the setting to mend."""

    error: type[HubError]
    sentence: str
    field: str | None = None


#: One row an exception. ``{reason}`` stands for LeadSquared's own text.
TABLE: Final[Mapping[str, Meaning]] = {
    "MXDuplicateEntryException": Meaning(Duplicate, sentences.DUPLICATE),
    "MXInvalidEntityReferenceException": Meaning(LeadGone, sentences.LEAD_GONE),
    "MXMandatoryAttributeMissingException": Meaning(Rejected, sentences.ATTRIBUTE_MISSING),
    "MXInvalidInputException": Meaning(Rejected, sentences.INVALID_INPUT),
    "MXAPIRateLimitExceededException": Meaning(RetryLater, sentences.THROTTLED),
    "NullReferenceException": Meaning(RetryLater, sentences.TROUBLE),
}
#: Parts of names, for exceptions whose exact names no source confirms.
PARTS: Final[Mapping[str, Meaning]] = {
    "RateLimit": TABLE["MXAPIRateLimitExceededException"],
    "Credential": Meaning(NeedsAttention, sentences.KEYS_WRONG, "access_key"),
    "Authentication": Meaning(NeedsAttention, sentences.KEYS_WRONG, "access_key"),
    "Unauthorized": Meaning(NeedsAttention, sentences.NOT_ALLOWED, "access_key"),
    "Permission": Meaning(NeedsAttention, sentences.NOT_ALLOWED, "access_key"),
}
_OTHER_MX: Final = Meaning(Rejected, sentences.REFUSED)
_OTHER: Final = Meaning(RetryLater, sentences.TROUBLE)


def is_error(body: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether an answer's body is an exception, whatever its HTTP status."""
    if not isinstance(body, dict):
        return False
    return bool(body.get("ExceptionType")) or str(body.get("Status")).casefold() == "error"


def error_of(body: Mapping[str, Any]) -> HubError:
    """The SDK error for an exception."""
    name = str(body.get("ExceptionType") or "")
    text = " ".join(str(body.get("ExceptionMessage") or body.get("Message") or "").split())
    meaning = _meaning(name)
    if meaning.sentence == sentences.THROTTLED:
        return throttled(None)
    sentence = meaning.sentence.format(reason=(text or name or "-")[:_REASON].rstrip("."))
    if issubclass(meaning.error, NeedsAttention):
        return meaning.error(sentence, field=meaning.field)
    return meaning.error(sentence)


def throttled(asked: float | None) -> RetryLater:
    """The error for too many calls. The hub pauses the whole hook for its ``delay``.

    The call was refused before it did anything, so it made nothing.
    """
    delay = max(PAUSE, asked or 0.0)
    return RetryLater(
        sentences.THROTTLED.format(seconds=round(delay)),
        delay=delay,
        throttled=True,
        reached=False,
    )


def _meaning(name: str) -> Meaning:
    if name in TABLE:
        return TABLE[name]
    for part, meaning in PARTS.items():
        if part in name:
            return meaning
    return _OTHER_MX if name.startswith("MX") else _OTHER
