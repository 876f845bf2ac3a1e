"""The limit on calls: so many in 5 seconds, and no word on when to come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

#: Seconds.
WINDOW = 5.0


class CallLimit:
    """Counts calls in a sliding window. ``calls`` ``None`` allows any number."""

    def __init__(self, calls: int | None, clock: Callable[[], float]) -> None:
        self.calls = calls
        self._clock = clock
        self._granted: deque[float] = deque()

    def grant(self) -> bool:
        """Whether one more call is allowed now; it is counted if so."""
        if self.calls is None:
            return True
        now = self._clock()
        while self._granted and self._granted[0] <= now - WINDOW:
            self._granted.popleft()
        if len(self._granted) >= self.calls:
            return False
        self._granted.append(now)
        return True

    def clear(self) -> None:
        """Forget the calls so far."""
        self._granted.clear()
