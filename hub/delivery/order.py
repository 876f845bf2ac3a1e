"""The order of the open deliveries of a lane.

They are worked on in the order of arrival, but where webhooks of their source overtake each other:
those are sorted by when they happened. What has been begun stays in front; something that comes
later still is added behind it, with its own time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar


class Placed(Protocol):
    """What the order is made from. ``id`` rises with the arrival, and ``ordered_at`` is ``None``
    where the arrival decides."""

    @property
    def id(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def ordered_at(self) -> datetime | None: ...


_P = TypeVar("_P", bound=Placed)


def in_order(waiting: Sequence[_P]) -> list[_P]:
    """The deliveries, which come in the order of arrival, in that of their work."""
    begun = [item for item in waiting if item.attempts]
    if not begun:
        return _sorted(waiting)
    return _sorted(begun) + _sorted([item for item in waiting if not item.attempts])


def _sorted(waiting: Sequence[_P]) -> list[_P]:
    """What has a moment is sorted among its like; what has none keeps its place between."""
    by_moment = sorted((item for item in waiting if item.ordered_at is not None), key=_moment)
    following = iter(by_moment)
    return [item if item.ordered_at is None else next(following) for item in waiting]


def _moment(item: Placed) -> tuple[datetime, int, int, str, int]:
    assert item.ordered_at is not None
    number = item.message_id or ""
    # Numbers as texts: the longer one is the larger.
    stages = _stages()
    return item.ordered_at, stages.get(item.name, len(stages)), len(number), number, item.id


@cache
def _stages() -> Mapping[str, int]:
    """What happened in one moment is sorted as a subject usually lives through it."""
    # Imported here: with it comes the whole SDK, which who only looks does not need.
    from hub.sdk.events import EVENT_NAMES

    return {name: stage for stage, name in enumerate(EVENT_NAMES)}
