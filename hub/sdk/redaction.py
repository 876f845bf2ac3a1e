"""Keeping secrets out of traces, logs and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit, urlunsplit

MASK = "[secret]"

#: Names of fields, headers and query parameters whose values are secret wherever they appear.
_FIELD_NAMES = (
    r"password|passwd|secret(?:_?key)?|[a-z_-]*token|access_?key|api_?key|authorization|signature"
)
_SECRET_NAME = re.compile(rf"^(?:{_FIELD_NAMES})$", re.IGNORECASE)
_SECRET_IN_QUERY = re.compile(rf"(?:^|&)(?:{_FIELD_NAMES})=", re.IGNORECASE)
_ESCAPED_LETTER = re.compile(r"%(?:[46][1-9a-f]|[57][0-9a])|%(?:2d|5f)", re.IGNORECASE)
_SECRET_IN_JSON = re.compile(rf'("(?:{_FIELD_NAMES})"\s*:\s*)"((?:[^"\\]|\\.)*)"?', re.IGNORECASE)
#: Shorter values are not replaced: they would occur in harmless text too.
_SHORTEST_SECRET = 6


def _names_a_secret(query: str) -> bool:
    # Letters need no escaping, so whoever escapes them wants to hide something.
    plain = unquote_plus(query) if _ESCAPED_LETTER.search(query) else query
    return _SECRET_IN_QUERY.search(plain) is not None


class Redactor:
    """Replaces known secret values, and values of fields with secret names."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({value for value in secrets if len(value) >= _SHORTEST_SECRET}, key=len)
        self._known = (
            re.compile("|".join(re.escape(value) for value in reversed(known))) if known else None
        )

    def text(self, text: str) -> str:
        """``text`` without any known secret value."""
        return self._known.sub(MASK, text) if self._known else text

    def url(self, url: str) -> str:
        """``url`` without user, password and secret query parameters."""
        before, _, query = url.partition("?")
        if "@" not in before and "#" not in url and not _names_a_secret(query):
            return self.text(url)
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = parts.query
        if _names_a_secret(query):
            pairs = parse_qsl(query, keep_blank_values=True)
            if any(_SECRET_NAME.match(name) for name, _ in pairs):
                query = urlencode(
                    [(name, MASK if _SECRET_NAME.match(name) else value) for name, value in pairs]
                )
        return self.text(urlunsplit((parts.scheme, host, parts.path, query, "")))

    def body(self, body: Any, limit: int) -> str:
        """A JSON value or a text, redacted and cut to ``limit`` characters."""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
        # Read a little past the cut, so that a secret that lies across the cut is recognised.
        text = text[: limit + 4_096]
        if told := {found[2] for found in _SECRET_IN_JSON.finditer(text)}:
            text = _SECRET_IN_JSON.sub(rf'\1"{MASK}"', text)
            # The same value may occur once more under a harmless name.
            text = Redactor(told).text(text)
        text = self.text(text)
        return text if len(text) <= limit else text[:limit] + f"… ({len(text)} characters)"

    def data(self, value: Any) -> Any:
        """A JSON value with the values of secret names replaced, at any depth."""
        if isinstance(value, dict):
            return {
                key: MASK if _SECRET_NAME.match(str(key)) and item else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.data(item) for item in value]
        return self.text(value) if isinstance(value, str) else value
