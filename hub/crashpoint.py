"""A death on purpose, for tests: kills this process at the boundary with a given number.

A boundary is a moment at which the world changes: before and after each HTTP call of a plugin and
each commit. ``HUB_CRASHPOINT=FILE`` writes the name of every boundary passed into a file;
``HUB_CRASHPOINT=FILE:N`` also kills the process (SIGKILL, so nothing is tidied) at the Nth.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

VARIABLE = "HUB_CRASHPOINT"


class _Crashpoint:
    """Counts boundaries and dies at one of them; 0 never."""

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
    """Count from now on; ``text`` is the value of the variable."""
    global _armed
    file, _, number = text.partition(":")
    _armed = _Crashpoint(Path(file), int(number or 0))


def boundary(name: str) -> None:
    """Pass a boundary. Costs nothing unless armed."""
    if _armed is not None:
        _armed.passed(name)


if os.environ.get(VARIABLE):
    arm(os.environ[VARIABLE])
