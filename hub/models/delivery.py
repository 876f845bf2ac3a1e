"""Deliveries: the debts, and the attempts to pay them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from hub.database import BigId, Json, Model, Moment
from hub.models.values import values_of


class DeliveryState(enum.StrEnum):
    """Where a debt stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    DEAD = "dead"


#: Still owed.
OPEN = (DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.WAITING)
_OPEN_ROWS = text("state IN ('pending', 'running', 'waiting')")


class AttemptOutcome(enum.StrEnum):
    """How a try ended; ``crashed`` when its worker never said."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    POSTPONED = "postponed"
    RETRY = "retry"
    REJECTED = "rejected"
    NEEDS_ATTENTION = "needs_attention"
    BUG = "bug"
    CRASHED = "crashed"


class KeptBack(Model):
    """A delivery that is kept back until it is known whose it is.

    It waits outside its lane, in nobody's way, and counts only while its delivery waits for the
    end of the keeping: one that was replayed by a version that knows of no keeping does not.
    """

    __tablename__ = "kept_deliveries"
    __table_args__ = (
        Index("ix_kept_deliveries_contact", "hook_id", "contact"),
        Index("ix_kept_deliveries_conversation", "hook_id", "conversation"),
        Index("ix_kept_deliveries_until", "hook_id", "until"),
    )

    delivery_id: Mapped[int] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    #: Whose it is, as far as it is known: "<source>/<number>".
    contact: Mapped[str | None] = mapped_column(String(200))
    conversation: Mapped[str | None] = mapped_column(String(200))
    #: When the keeping ends.
    until: Mapped[datetime] = mapped_column(Moment)
    #: The lane that it was taken out of.
    home_lane_id: Mapped[int] = mapped_column(BigId)


class Delivery(Model):
    """One event owed to one hook."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "hook_id"),
        CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="waiting_has_a_time"),
        CheckConstraint(
            "(state IN ('done', 'skipped', 'superseded', 'dead')) = (finished_at IS NOT NULL)",
            name="finished_has_a_time",
        ),
        CheckConstraint(
            "state NOT IN ('skipped', 'superseded', 'dead', 'waiting') OR length(reason) > 0",
            name="reason_given",
        ),
        # Of PostgreSQL, too: see the lanes' indexes.
        Index("ix_deliveries_open_lane", "lane_id", "id", sqlite_where=_OPEN_ROWS),
        Index("ix_deliveries_open_hook", "hook_id", "state", sqlite_where=_OPEN_ROWS),
        Index("ix_deliveries_hook_state", "hook_id", "state", "id"),
        Index("ix_deliveries_state", "state", "id"),
        Index("ix_deliveries_hook", "hook_id", "id"),
        Index("ix_deliveries_lane", "lane_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    lane_id: Mapped[int] = mapped_column(ForeignKey("lanes.id", ondelete="CASCADE"))
    state: Mapped[DeliveryState] = mapped_column(
        values_of(DeliveryState), default=DeliveryState.PENDING
    )
    #: When a waiting one is to be tried again.
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    #: What was done, or why it was not: one sentence.
    reason: Mapped[str] = mapped_column(Text, default="")
    #: Leads to the remote record.
    url: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    #: Attempts that ended in a bug of the plugin, or with the death of the worker.
    bugs: Mapped[int] = mapped_column(default=0)
    #: The first failure of the present series; patience is counted from here.
    failing_since: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    #: The event that told whose it is, after it was kept back. No foreign key: that event may go.
    known_by: Mapped[int | None] = mapped_column(BigId)
    #: A person has decided that it goes on without anybody being known.
    insisted: Mapped[bool | None]
    #: Until when it is kept back, if it is.
    kept_until: Mapped[datetime | None] = column_property(
        select(KeptBack.until)
        .where(KeptBack.delivery_id == id, KeptBack.until == due_at)
        .correlate_except(KeptBack)
        .scalar_subquery()
    )


class Attempt(Model):
    """One try at a delivery."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("delivery_id", "number"),
        CheckConstraint(
            "(outcome = 'running') = (finished_at IS NULL)", name="finished_has_a_time"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    outcome: Mapped[AttemptOutcome] = mapped_column(values_of(AttemptOutcome))
    worker: Mapped[str] = mapped_column(String(100))
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    #: The sentence for people.
    detail: Mapped[str] = mapped_column(Text, default="")
    #: The traceback, where the plugin has a bug.
    traceback: Mapped[str | None] = mapped_column(Text)
    #: The HTTP calls (``hub.sdk.http.Call``) and the steps that the plugin noted, in order.
    calls: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: In a batch, the delivery whose attempt holds the calls.
    batch_of: Mapped[int | None] = mapped_column(BigId)
