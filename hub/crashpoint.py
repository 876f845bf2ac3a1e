"""For tests: kills this process at a chosen boundary.

There is a boundary before and after each HTTP call of a plugin, and before and after each commit.
``HUB_CRASHPOINT=FILE`` writes the name of every boundary passed into a file.
``HUB_CRASHPOINT=FILE:N`` also kills the process at the Nth, with SIGKILL, so that it cannot clean
up.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

VARIABLE = "HUB_CRASHPOINT"


class _Crashpoint:
    """Counts boundaries and kills the process at number ``at``; 0 means never."""

    def __init__(self, file: Path, at: int) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._at = at
        self._passed = 0
        self._lock = threading.Lock()

    def passed(self, name: str) -> None:
        with self._lock:
            self._passed += 1
            self._file.write(name + "\n")
            self._file.flush()
            if self._passed == self._at:
                os.kill(os.getpid(), signal.SIGKILL)


_armed: _Crashpoint | None = None


def arm(text: str) -> None:
    """Start to count. ``text`` is the value of the environment variable."""
    global _armed
    file, _, number = text.partition(":")
    _armed = _Crashpoint(Path(file), int(number or 0))


def boundary(name: str) -> None:
    """Pass a boundary. Does nothing unless armed."""
    if _armed is not None:
        _armed.passed(name)


if os.environ.get(VARIABLE):
    arm(os.environ[VARIABLE])
