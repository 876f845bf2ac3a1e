"""What goes between a simulator and those who call it: a request, its answer, and a log of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client_address: str = "127.0.0.1"

    def json(self) -> Any:
        """The body as JSON; raises ``ValueError`` when it is none."""
        return json.loads(self.body)


@dataclass(slots=True)
class Response:
    """One answer. ``headers`` are sent beside Content-Type and Content-Length."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Self:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode(), headers=headers or {})

    @classmethod
    def of_html(cls, page: str, status: int = 200) -> Self:
        return cls(status, page.encode(), "text/html; charset=UTF-8")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the request log. ``status`` is None when no answer was sent."""

    number: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    faults: tuple[str, ...]
    at: float
    seconds: float

    @property
    def text(self) -> str:
        """The body as text, cut to what the log keeps."""
        return self.body.decode("utf-8", "replace")

    def as_json(self) -> dict[str, Any]:
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "body"}
        return {**shown, "body": self.text}
