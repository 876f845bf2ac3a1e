"""Reading LeadSquared's answers: a status of 200 does not mean success, so every body is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from hub.sdk import HubError, NeedsAttention, Rejected, RetryLater, json_of
from hub_leadsquared import sentences
from hub_leadsquared.api.errors import error_of, is_error, throttled

_KEYS_WRONG: Final = 401
_FORBIDDEN: Final = 403
_TEXT: Final = 300


def read_answer(response: requests.Response, *expected: type) -> Any:
    """The answer's JSON, if it is no error. See ``Connection`` for the errors."""
    status = response.status_code
    if status == _KEYS_WRONG:
        raise NeedsAttention(sentences.KEYS_WRONG, field="access_key")
    if status >= 300:
        raise _refusal(response)
    body = json_of(response, dict, list)
    if is_error(body):
        raise error_of(body)
    if expected and not isinstance(body, expected):
        raise RetryLater(sentences.NOT_LEADSQUARED.format(status=status))
    return body


def read_trouble(trouble: RetryLater) -> HubError:
    """What a call that the HTTP layer gave up means for a delivery.

    LeadSquared also sends its exceptions with status 500. They are no outage, and no second try
    would mend one whose name begins with MX; so where the HTTP layer hands over the answer, it
    is read.
    """
    if trouble.throttled:
        return throttled(trouble.delay)
    answer = getattr(trouble, "response", None)
    body = _json(answer) if isinstance(answer, requests.Response) else None
    return error_of(body) if is_error(body) else trouble


def message_of(body: Any) -> Mapping[str, Any]:
    """The ``Message`` of an answer to a write.

    :raises RetryLater: there is none, so it is not known whether anything was written.
    """
    message = body.get("Message") if isinstance(body, dict) else None
    if not isinstance(message, dict):
        raise RetryLater(sentences.NOT_LEADSQUARED.format(status=200))
    return message


def id_of(body: Any) -> str:
    """The ``Id`` of what was written.

    :raises RetryLater: there is none.
    """
    found = message_of(body).get("Id") or message_of(body).get("RelatedId")
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise RetryLater(sentences.NOT_LEADSQUARED.format(status=200))
    return str(found)


def _refusal(response: requests.Response) -> HubError:
    """The error for a status from 300 to 499."""
    status, body = response.status_code, _json(response)
    if is_error(body) and body.get("ExceptionType"):
        return error_of(body)
    if status == _FORBIDDEN:
        return NeedsAttention(
            sentences.NOT_ALLOWED.format(reason=_reason(response)), field="access_key"
        )
    if status == 404 or status < 400:
        host = urlsplit(response.url).hostname
        return NeedsAttention(
            sentences.WRONG_SERVER.format(host=host, status=status), field="api_url"
        )
    return Rejected(sentences.REFUSED.format(reason=_reason(response)))


def _reason(response: requests.Response) -> str:
    body = _json(response)
    text = body.get("Message") if isinstance(body, dict) else None
    return str(text or f"HTTP {response.status_code}")[:_TEXT].rstrip(".")


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):  # the latter for what is nested too deeply
        return None
