"""Chatwoot's account webhooks. Facts by its source, 4.15.1, with what older versions lack."""

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
        """One for each event and webhook; the same when a cut-off delivery is sent again."""
        return headers.get("x-chatwoot-delivery", "")[:100] or None

    def sent_at(self, headers: Mapping[str, str]) -> float:
        """In whole seconds, cut off."""
        return float(headers[signature.TIMESTAMP])

    def parse(self, data: Any, source: Source, received_at: datetime) -> Parsed:
        """See ``SourceKind.parse``."""
        return parse(data, source, received_at)
