"""What a process remembers of the sources that it was asked for lately."""

from __future__ import annotations

import threading
import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.database import in_reading
from hub.models import Source
from hub.security.encryption import digest

#: Seconds for which a process trusts what it knows of a source.
SOURCE_MEMORY = 1.0


class SourceMemory:
    """The sources that this process was asked for lately: a burst asks the database once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Source]] = {}
        self._lock = threading.Lock()

    def find(self, kind: str, token: str) -> Source | None:
        """The enabled source of this address."""
        key = digest(token)
        source = self._remembered(key)
        if source is None:
            # One thread asks; a burst would take a connection for each of its requests.
            with self._lock:
                source = self._remembered(key) or self._ask(key)
        if source is None or source.kind != kind or not source.enabled:
            return None
        return source

    def forget(self) -> None:
        """Ask the database the next time."""
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
