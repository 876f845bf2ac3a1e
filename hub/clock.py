"""Time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, tzinfo


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def written(moment: datetime, zone: tzinfo | None = None) -> str:
    """A moment as commands and sentences write it, always with its zone; that of the machine, if
    none is given: "2026-07-14 10:00:00 UTC"."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
