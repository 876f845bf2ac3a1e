"""The order of sources whose webhooks overtake each other.

Chatwoot sends each event by a thread of its own: of ten messages in half a second the third came
first, and some came 0.9 seconds after what was said later. So an event waits until it is a little
while old by the source's own clock; by then what happened before it is here, too, and the lane
sorts them. What is older already, because the source was busy, waits no longer. Where the hub is
late to take requests, they overtake each other all the same: that time does not count.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.inbox.sources import Draft

#: Seconds of which the smallest difference between two clocks is known: one to two such spans.
SPAN = 150.0
#: Seconds by which the difference of a request is larger when the hub was certainly late to take
#: it: the second that the source's clock leaves out, and some for the way.
LATE = 1.3
#: Seconds from such a request in which others are taken for late, too, by as much as is possible.
STILL_LATE = 2.0


class SourceClocks:
    """How far the hub's clock is ahead of the sources' clocks, as this process sees it.

    A source tells when it sent a request, in whole seconds. Arrival less sending is the difference
    of the clocks, and up to a second more; of many requests the smallest is the closest. It is
    never too small, so nothing is taken for older than it is. A request whose difference is much
    larger waited for a busy hub: its events are as old as they were when it was sent, so that those
    which overtook each other on their way are told apart as ever.
    """

    def __init__(self) -> None:
        #: For each source the smallest difference of this span and of the one before, in seconds.
        self._seen: dict[int, tuple[float, float]] = {}
        self._before: dict[int, tuple[float, float]] = {}
        #: When the last request came that was late (unix seconds), for each source.
        self._late: dict[int, float] = {}
        self._lock = threading.Lock()

    def observe(self, source_id: int, sent_at: float, received_at: datetime) -> timedelta:
        """Note when a request was sent (unix seconds, proven by its signature) and when it came;
        answers how far the hub's clock is ahead, with the time for which the hub was late."""
        arrived = received_at.timestamp()
        ahead = arrived - sent_at
        now = time.monotonic()
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
    """Where an event stands in its lane.

    ``ordered_at`` is the moment by which it is sorted, by its source's clock; ``None``: it keeps
    the place of its arrival. ``settled_at`` is until when it waits, by the hub's clock; ``None``:
    not at all.
    """

    ordered_at: datetime | None = None
    settled_at: datetime | None = None


#: The place of whatever nothing is known of.
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
        """The place of each event of a request. Where it is not known when the request was sent,
        the waiting counts from its arrival."""
        if not self._patience:
            return ()
        ahead = None if sent_at is None else self._clocks.observe(source_id, sent_at, received_at)
        return [self._place(draft, ahead, received_at) for draft in drafts]

    def _place(self, draft: Draft, ahead: timedelta | None, received_at: datetime) -> Place:
        if draft.moment is None:
            return ARRIVAL
        latest = draft.latest or draft.moment
        # Never later than it came, whatever its source's clock says.
        if ahead is None or latest > received_at - ahead:
            happened_at = received_at
        else:
            happened_at = latest + ahead
        settled_at = happened_at + self._patience
        return Place(draft.moment, settled_at if settled_at > received_at else None)
