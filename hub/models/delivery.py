"""Deliveries: what hooks are owed, and the attempts at it."""

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
    """The state of a delivery."""

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
    """How an attempt ended. ``crashed``: its worker died before it could say."""

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

    It waits outside its lane, so it blocks no other delivery. The row counts only while the
    delivery's ``due_at`` equals ``until``: an older version of the hub, which does not know this
    table, may have replayed the delivery.
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
    #: Whose delivery it is, as far as that is known: "<source>/<number>".
    contact: Mapped[str | None] = mapped_column(String(200))
    conversation: Mapped[str | None] = mapped_column(String(200))
    #: When it is skipped if nobody has become known.
    until: Mapped[datetime] = mapped_column(Moment)
    #: The lane to which it belongs.
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
        # Partial on PostgreSQL too; the condition is in the migration.
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
    #: When a waiting delivery is tried again.
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    #: One sentence: what was done, or why it was not done.
    reason: Mapped[str] = mapped_column(Text, default="")
    #: The address of the remote record.
    url: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    #: Attempts that ended in a bug of the plugin, or with the death of the worker.
    bugs: Mapped[int] = mapped_column(default=0)
    #: The first of the failures in a row; the patience is counted from here.
    failing_since: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    #: If it was kept back: the event by which it became known whose it is. No foreign key: that
    #: event may be pruned.
    known_by: Mapped[int | None] = mapped_column(BigId)
    #: An operator decided to deliver it although nobody is known.
    insisted: Mapped[bool | None]
    #: Until when it is kept back. NULL if it is not.
    kept_until: Mapped[datetime | None] = column_property(
        select(KeptBack.until)
        .where(KeptBack.delivery_id == id, KeptBack.until == due_at)
        .correlate_except(KeptBack)
        .scalar_subquery()
    )


class Attempt(Model):
    """One attempt at a delivery."""

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
    #: What happened, as a sentence for people.
    detail: Mapped[str] = mapped_column(Text, default="")
    #: The traceback of a bug.
    traceback: Mapped[str | None] = mapped_column(Text)
    #: The HTTP calls (``hub.sdk.http.Call``) and the steps that the plugin noted, in order.
    calls: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    #: In a batch: the delivery whose attempt holds the calls.
    batch_of: Mapped[int | None] = mapped_column(BigId)
