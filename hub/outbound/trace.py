"""The story of an attempt: every HTTP call, and the steps that the plugin noted, in order."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from hub.sdk.http import Call

_CALL = tuple(field.name for field in fields(Call))
#: Entries kept of one attempt.
MOST = 200


class Trace:
    """Collects the entries of one attempt."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def call(self, call: Call) -> None:
        """An HTTP call."""
        self._add({name: getattr(call, name) for name in _CALL})

    def note(self, sentence: str) -> None:
        """A step that the plugin noted."""
        self._add({"note": sentence, "started_at": datetime.now(UTC).isoformat()})

    def _add(self, entry: dict[str, Any]) -> None:
        if len(self.entries) < MOST:
            self.entries.append(entry)
