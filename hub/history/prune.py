"""Pruning: deletes old history, in small batches so that nobody waits for it.

An event is deleted with its deliveries and attempts if none of these is open or dead: a dead
delivery is kept until a person has decided. Held requests are deleted by their age alone. Links
stay, since they say what exists in the CRMs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.database import in_transaction, reading
from hub.models import OPEN, Delivery, DeliveryState, Event, QuarantinedRequest

#: Events of one transaction: some tens of milliseconds.
BATCH = 500


class Pruning:
    """Goes through the history from its oldest event to the ``cutoff``, once."""

    def __init__(self, cutoff: datetime) -> None:
        self._cutoff = cutoff
        self._after: tuple[datetime, int] | None = None

    def count_requests(self) -> int:
        """How many held requests would be deleted."""
        query = select(func.count()).select_from(QuarantinedRequest).where(self._old_request())
        with reading() as session:
            return session.scalar(query) or 0

    def count(self) -> int:
        """How many events would be deleted."""
        query = select(func.count()).select_from(Event).where(*self._old())
        with reading() as session:
            return session.scalar(query) or 0

    def step(self) -> int | None:
        """Delete one batch of events, or of held requests if no old event is left. Returns how many
        were deleted; ``None`` if there was nothing left.
        """
        gone = in_transaction(self._prune)
        if gone is None:
            return in_transaction(self._prune_requests) or None
        count, self._after = gone
        return count

    def _prune(self, session: Session) -> tuple[int, tuple[datetime, int]] | None:
        rows = session.execute(self._batch()).all()
        if not rows:
            return None
        session.execute(delete(Event).where(Event.id.in_([row.id for row in rows])))
        return len(rows), (rows[-1].received_at, rows[-1].id)

    def _prune_requests(self, session: Session) -> int:
        old = select(QuarantinedRequest.id).where(self._old_request()).limit(BATCH)
        gone = session.execute(
            delete(QuarantinedRequest)
            .where(QuarantinedRequest.id.in_(old.scalar_subquery()))
            .returning(QuarantinedRequest.id)
        )
        return len(gone.all())

    def _old_request(self) -> ColumnElement[bool]:
        return QuarantinedRequest.received_at < self._cutoff

    def _batch(self) -> Any:
        query: Any = (
            select(Event.id, Event.received_at)
            .where(*self._old())
            .order_by(Event.received_at, Event.id)
            .limit(BATCH)
        )
        if self._after is not None:
            moment, event_id = self._after
            # Do not look again at events that were kept.
            query = query.where(
                Event.received_at >= moment,
                or_(
                    Event.received_at > moment,
                    and_(Event.received_at == moment, Event.id > event_id),
                ),
            )
        return query

    def _old(self) -> tuple[Any, ...]:
        kept = exists().where(
            Delivery.event_id == Event.id, Delivery.state.in_((*OPEN, DeliveryState.DEAD))
        )
        return Event.received_at < self._cutoff, ~kept


def older_than(seconds: float) -> Pruning:
    """A pruning of all that arrived more than ``seconds`` ago."""
    now = clock.now()
    return Pruning(datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo))
