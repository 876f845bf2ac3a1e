"""State in memory, with the semantics that ``hub.sdk.state`` promises."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Any

from hub.sdk.state import Entry, StateConflict, checked


@dataclass
class StoredState:
    """What was committed."""

    entries: dict[str, Entry] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryState:
    """Implements ``hub.sdk.State`` for one worker. What it puts is written with its links."""

    def __init__(self, stored: StoredState, plugin_version: str) -> None:
        self._stored = stored
        self._written_by = plugin_version
        self._unwritten: dict[str, Entry | None] = {}

    def get(self, key: str) -> Entry | None:
        """See ``hub.sdk.state.State.get``."""
        if key in self._unwritten:
            return self._unwritten[key]
        return self._stored.entries.get(key)

    def put(self, key: str, value: Any) -> None:
        """See ``hub.sdk.state.State.put``."""
        self._unwritten[key] = Entry(key, checked(key, value), 0, self._written_by)

    def remove(self, key: str) -> None:
        """See ``hub.sdk.state.State.remove``."""
        self._unwritten[key] = None

    def replace(self, key: str, value: Any, *, seen: Entry | None) -> Entry:
        """See ``hub.sdk.state.State.replace``."""
        wanted = checked(key, value)
        with self._stored.lock:
            versions = self.write()
            now = self._stored.entries.get(key)
            # What this worker has put there before has its number only now.
            before = 0 if seen is None else seen.version or versions.get(key, 0)
            if before != (now.version if now else 0):
                raise StateConflict
            entry = Entry(key, wanted, before + 1, self._written_by)
            self._stored.entries[key] = entry
        return entry

    @property
    def has_unwritten(self) -> bool:
        """Whether ``write`` would do something."""
        return bool(self._unwritten)

    def write(self) -> dict[str, int]:
        """Commit what is not written yet; answers the versions of what was put there."""
        versions: dict[str, int] = {}
        with self._stored.lock:
            for key, entry in self._unwritten.items():
                before = self._stored.entries.pop(key, None)
                if entry is not None:
                    versions[key] = (before.version if before else 0) + 1
                    self._stored.entries[key] = replace(entry, version=versions[key])
            self._unwritten.clear()
        return versions
