"""The chart of the last hours: where its bars stand. The template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.history.status import Hour

WIDTH, HEIGHT, BOTTOM, LEFT = 720, 170, 22, 40


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of an hour's bar: ``kind`` is done, dead or open."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in a picture of ``WIDTH`` by ``HEIGHT``, with the hours they stand for."""

    hours: Sequence[Hour]
    bars: Sequence[Bar]
    top: int
    labels: Sequence[tuple[float, datetime]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = HEIGHT - BOTTOM

    @classmethod
    def of(cls, hours: Sequence[Hour]) -> Chart:
        """The chart of these hours."""
        highest = max((hour.done + hour.dead + hour.open for hour in hours), default=0)
        top = _round_up(highest)
        step = (WIDTH - LEFT) / max(len(hours), 1)
        scale = (HEIGHT - BOTTOM - 12) / top
        bars = []
        for number, hour in enumerate(hours):
            y = float(HEIGHT - BOTTOM)
            for kind, count in (("done", hour.done), ("dead", hour.dead), ("open", hour.open)):
                if count:
                    height = max(count * scale, 1.0)
                    y -= height
                    bars.append(
                        Bar(
                            kind,
                            round(LEFT + number * step + 2, 1),
                            round(y, 1),
                            round(step - 4, 1),
                            round(height, 1),
                        )
                    )
        labels = [
            (round(LEFT + (number + 0.5) * step, 1), hour.begin)
            for number, hour in enumerate(hours)
            if number % 4 == 1
        ]
        return cls(hours, bars, top, labels)


def _round_up(value: int) -> int:
    """The next number that reads well on an axis."""
    if value <= 5:
        return 5
    power: int = 10 ** int(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)
