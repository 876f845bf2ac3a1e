"""The clock that tests hand to the application."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from flask import Flask

from hub import services


class StoppableClock:
    """The machine's clock until a test stops it; from then on it stands still unless moved."""

    def __init__(self) -> None:
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._stopped_at or datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; one that stands still moves on at once."""
        if self._stopped_at is None:
            time.sleep(seconds)
        else:
            self._stopped_at += timedelta(seconds=seconds)

    def stop(self, moment: datetime | None = None) -> None:
        """Stand still: at this moment, or now."""
        self._stopped_at = moment or self.now()

    def turn(self, by: timedelta) -> None:
        """Stand still, so much later than it is; earlier, if less than nothing."""
        self._stopped_at = self.now() + by

    def go_on(self) -> None:
        """Be the machine's clock again."""
        self._stopped_at = None


def clock_of(app: Flask) -> StoppableClock:
    """The clock that a test has handed to the application."""
    clock = services.of(app).clock
    assert isinstance(clock, StoppableClock)
    return clock
