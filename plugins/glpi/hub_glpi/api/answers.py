"""Reading GLPI's answers: what counts as one, and how the texts in it are encoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import requests

from hub.sdk import NeedsAttention, Rejected, RetryLater, json_of
from hub_glpi import sentences
from hub_glpi.api.errors import Refused, error_of, reason_of


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is JSON of the expected shape and no error.

    ``total`` is how many things there are when the answer shows a range of them.
    """

    status: int
    body: Any
    total: int | None = None


def read_answer(response: requests.Response, *expected: type, signing_in: bool = False) -> Answer:
    """The answer, if it is one of the API and no error. See ``Connection.call`` for the errors."""
    status = response.status_code
    if 300 <= status < 400:
        address = response.headers.get("Location", "")
        raise NeedsAttention(sentences.REDIRECTED.format(address=address), field="api_url")
    if status == 413:
        raise Rejected(sentences.TOO_LARGE)
    if status >= 400:
        raise error_of(json_of(response, list), signing_in=signing_in)
    body = json_of(response, *(expected or (dict, list)))
    if isinstance(body, list) and body and str(body[0]).startswith("ERROR") and status != 207:
        raise RetryLater(sentences.NOT_GLPI.format(status=status))
    return Answer(status, body, _total(response))


def _total(response: requests.Response) -> int | None:
    """The number after the slash of ``Content-Range: 0-2/18``."""
    _, _, total = response.headers.get("Content-Range", "").partition("/")
    return int(total) if total.isdigit() else None


def decoded(value: Any) -> Any:
    """A value as it was before GLPI encoded it for HTML (``&#60;p&#62;``; 9.5: ``&lt;p&gt;``)."""
    if isinstance(value, str):
        return unescape(value)
    if isinstance(value, list):
        return [decoded(item) for item in value]
    return value


def record(answer: Answer) -> dict[str, Any]:
    """One thing, decoded.

    :raises RetryLater: the answer is a list, as for a path whose id GLPI could not read.
    """
    if not isinstance(answer.body, dict):
        raise RetryLater(sentences.NOT_GLPI.format(status=answer.status))
    return {name: decoded(value) for name, value in answer.body.items()}


def records(answer: Answer) -> list[dict[str, Any]]:
    """A list of things, decoded."""
    return [
        {name: decoded(value) for name, value in item.items()}
        for item in answer.body
        if isinstance(item, dict)
    ]


def rows(answer: Answer) -> list[dict[int, Any]]:
    """The rows of a search, by field number and decoded. ``data`` is absent when none fit."""
    body = answer.body if isinstance(answer.body, dict) else {}
    data = body.get("data", [])
    # PHP writes a list with gaps as an object.
    found = data.values() if isinstance(data, dict) else data
    return [
        {int(field): decoded(value) for field, value in row.items() if str(field).isdigit()}
        for row in found
    ]


def added(answer: Answer) -> int:
    """The id of the one thing that was added."""
    number = answer.body.get("id") if isinstance(answer.body, dict) else None
    if isinstance(number, bool) or not isinstance(number, int):
        raise RetryLater(sentences.NOT_GLPI.format(status=answer.status))
    return number


def added_each(answer: Answer, count: int) -> list[int | Refused]:
    """The ids of the ``count`` things that were added, in order, with refusals among them.

    A 207 answers ``["ERROR_GLPI_PARTIAL_ADD", [...]]``.
    """
    parts = answer.body[1] if answer.status == 207 else answer.body
    return each_of(parts, count, answer.status)


def each_of(parts: Any, count: int, status: int) -> list[int | Refused]:
    """See ``added_each``; also for the parts of a total refusal."""
    fits = isinstance(parts, list) and len(parts) == count
    if not fits or not all(isinstance(part, dict) for part in parts):
        raise RetryLater(sentences.NOT_GLPI.format(status=status))
    return [_added_or_refused(part) for part in parts]


def _added_or_refused(part: Mapping[str, Any]) -> int | Refused:
    number = part.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    reason = reason_of(part.get("message"))
    return Refused(sentences.REFUSED_ADD.format(reason=reason or "-"), reason=reason)


def change_message(answer: Answer) -> str:
    """What GLPI remarked on a change, which may be that it left part of it out."""
    if isinstance(answer.body, list) and answer.body and isinstance(answer.body[0], dict):
        return str(decoded(answer.body[0].get("message", "")))
    return ""
