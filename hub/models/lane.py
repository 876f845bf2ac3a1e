"""Lanes: the ordered streams of a hook's deliveries, one for each subject."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Model, Moment


class Lane(Model):
    """One hook's deliveries about one subject. One worker at a time has it.

    ``epoch`` counts how often the lane was taken. A worker writes only while the epoch is still its
    own. So a worker that was stopped for longer than its lease does no harm when it wakes.
    """

    __tablename__ = "lanes"
    __table_args__ = (
        UniqueConstraint("hook_id", "key"),
        CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="lease_whole"),
        # Partial on PostgreSQL too; the conditions are in the migrations. Here they would load its
        # dialect, 2 MB, in every process.
        Index("ix_lanes_due", "due_at", sqlite_where=text("due_at IS NOT NULL")),
        Index("ix_lanes_leased", "lease_until", sqlite_where=text("lease_until IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    #: The subject: "<source>/contact:501".
    key: Mapped[str] = mapped_column(String(200))
    epoch: Mapped[int] = mapped_column(default=0)
    #: Who has the lane (see ``hub.queue.owners``), and when that ends unless it is renewed.
    owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    #: When its oldest open delivery is due. NULL: no delivery is open.
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    #: When it was last put into Redis. NULL: it must be put there again.
    queued_at: Mapped[datetime | None] = mapped_column(Moment)
