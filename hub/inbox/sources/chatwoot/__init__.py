"""Chatwoot's account webhooks. The facts are from the source code of 4.15.1; what older versions
lack is noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.inbox.sources.chatwoot import signature
from hub.inbox.sources.chatwoot.mapping import parse
from hub.inbox.sources.kind import Parsed
from hub.sdk.events import Source


class ChatwootSource:
    """The source kind ``chatwoot``. Implements ``hub.inbox.sources.kind.SourceKind``."""

    name = "chatwoot"
    title = "Chatwoot"
    headers = ("x-chatwoot-",)

    def is_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether the request claims a signature."""
        return signature.HEADER in headers

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """See ``SourceKind.verify``."""
        signature.verify(secret, headers, body, now)

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """One id for each event and webhook. It stays the same when a broken-off delivery is sent
        again."""
        return headers.get("x-chatwoot-delivery", "")[:100] or None

    def sent_at(self, headers: Mapping[str, str]) -> float:
        """The time of sending in whole seconds; fractions are cut off."""
        return float(headers[signature.TIMESTAMP])

    def parse(self, data: Any, source: Source, received_at: datetime) -> Parsed:
        """See ``SourceKind.parse``."""
        return parse(data, source, received_at)
