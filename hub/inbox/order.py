"""The order of sources whose webhooks overtake each other.

Chatwoot sends each event in a thread of its own. Of ten messages in half a second, the third came
first, and some came up to 0.9 seconds after later ones. So an event waits until it has a certain
age by the clock of its source. By then the events before it have arrived, too, and the lane sorts
them. An event that already has this age when it arrives does not wait. The time for which a busy
hub was late to take the request does not count as age, because requests overtake each other on
their way regardless of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.inbox.sources import Draft

#: The smallest difference between two clocks is remembered for one to two spans of so many seconds.
SPAN = 150.0
#: If the difference of a request is so many seconds larger than the smallest one, the hub was late
#: to take the request. One second is what the source's clock cuts off; the rest is for the way.
LATE = 1.3
#: Requests within so many seconds of a late one count as late, too.
STILL_LATE = 2.0


class SourceClocks:
    """How far the hub's clock is ahead of the clocks of the sources, as this process sees it.

    A source says when it sent a request, in whole seconds. The time from sending to arrival is the
    difference between the clocks plus up to a second. The smallest of many such times is closest to
    the difference. It is never too small, so no event is taken for older than it is.

    A request with a much larger time waited for a busy hub. Its events get the age that they had
    when it was sent, so that events which overtook each other on their way are still sorted.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        #: For each source: when this span began, and its smallest difference in seconds; and the
        #: same of the span before.
        self._seen: dict[int, tuple[float, float]] = {}
        self._before: dict[int, tuple[float, float]] = {}
        #: For each source: when its last late request arrived (unix seconds).
        self._late: dict[int, float] = {}
        self._lock = threading.Lock()

    def observe(self, source_id: int, sent_at: float, received_at: datetime) -> timedelta:
        """Note when a request was sent (unix seconds, proven by its signature) and when it arrived.
        Answers how far the hub's clock is ahead, plus the time for which the hub was late."""
        arrived = received_at.timestamp()
        ahead = arrived - sent_at
        now = self._monotonic()
        with self._lock:
            begin, smallest = self._seen.get(source_id, (now, ahead))
            if now - begin >= SPAN:
                self._before[source_id] = (begin, smallest)
                begin, smallest = now, ahead
            smallest = min(smallest, ahead)
            self._seen[source_id] = (begin, smallest)
            earlier, before = self._before.get(source_id, (begin, smallest))
            if now - earlier > 2 * SPAN:
                before = smallest
            smallest = min(smallest, before)
            if ahead - smallest > LATE:
                self._late[source_id] = arrived
            is_late = abs(arrived - self._late.get(source_id, 0.0)) < STILL_LATE
        return timedelta(seconds=ahead if is_late else smallest)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an event in its lane.

    ``ordered_at`` is the moment by which it is sorted, by its source's clock. ``None``: it keeps
    the order of its arrival. ``settled_at`` is the end of its waiting, by the hub's clock.
    ``None``: it does not wait.
    """

    ordered_at: datetime | None = None
    settled_at: datetime | None = None


#: The place of an event whose time is unknown.
ARRIVAL = Place()


class Patience:
    """How long each event waits for those that it may have overtaken."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` is ``OrderPolicy.patience``."""
        self._clocks = SourceClocks()
        self._patience = timedelta(seconds=seconds)

    def places(
        self,
        drafts: Sequence[Draft],
        source_id: int,
        sent_at: float | None,
        received_at: datetime,
    ) -> Sequence[Place]:
        """The place of each event of a request. If it is unknown when the request was sent, the
        events wait from its arrival."""
        if not self._patience:
            return ()
        ahead = None if sent_at is None else self._clocks.observe(source_id, sent_at, received_at)
        return [self._place(draft, ahead, received_at) for draft in drafts]

    def _place(self, draft: Draft, ahead: timedelta | None, received_at: datetime) -> Place:
        if draft.moment is None:
            return ARRIVAL
        latest = draft.latest or draft.moment
        # Nothing happens after it arrived, whatever the source's clock says.
        if ahead is None or latest > received_at - ahead:
            happened_at = received_at
        else:
            happened_at = latest + ahead
        settled_at = happened_at + self._patience
        return Place(draft.moment, settled_at if settled_at > received_at else None)
