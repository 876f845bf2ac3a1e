"""The clock, and how moments are written."""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.sdk.context import Clock


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM = SystemClock()
#: The clock of the running application; ``hub.services`` sets it.
CURRENT: ContextVar[Clock] = ContextVar("clock", default=SYSTEM)


def now() -> datetime:
    """The current time in UTC, by the clock of the running application."""
    return CURRENT.get().now()


def written(moment: datetime, zone: tzinfo | None = None) -> str:
    """A moment with its time zone, for commands and sentences: "2026-07-14 10:00:00 UTC". Without
    ``zone``, in the machine's time zone."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
