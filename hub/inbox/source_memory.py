"""A short memory of sources, for each process."""

from __future__ import annotations

import threading
import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.database import in_reading
from hub.models import Source
from hub.security.encryption import digest

#: Seconds for which a source is remembered.
SOURCE_MEMORY = 1.0


class SourceMemory:
    """Remembers recently used sources, so that a burst of requests reads the database once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Source]] = {}
        self._lock = threading.Lock()

    def find(self, kind: str, token: str) -> Source | None:
        """The source with this address, if it is enabled."""
        key = digest(token)
        source = self._remembered(key)
        if source is None:
            # Only one thread reads. Otherwise a burst would use one connection for each request.
            with self._lock:
                source = self._remembered(key) or self._ask(key)
        if source is None or source.kind != kind or not source.enabled:
            return None
        return source

    def forget(self) -> None:
        """Forget all sources."""
        self._known = {}

    def _remembered(self, key: str) -> Source | None:
        asked_at, source = self._known.get(key, (0.0, None))
        return source if time.monotonic() - asked_at < SOURCE_MEMORY else None

    def _ask(self, key: str) -> Source | None:
        now = time.monotonic()
        source = in_reading(lambda session: _read(session, key))
        if source is not None:
            fresh = {k: v for k, v in self._known.items() if now - v[0] < SOURCE_MEMORY}
            self._known = {**fresh, key: (now, source)}
        return source


def _read(session: Session, token_digest: str) -> Source | None:
    source = session.scalar(select(Source).where(Source.token_digest == token_digest))
    if source is not None:
        session.expunge(source)
    return source
