"""Links: which remote record belongs to which local thing, and records that are being created."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment
from hub.models.values import values_of


class LinkState(enum.StrEnum):
    """``intent``: a create has begun, its result is unknown. ``gone``: the remote record was
    deleted."""

    INTENT = "intent"
    LINKED = "linked"
    GONE = "gone"


class Link(Model):
    """A local thing of one hook and its remote record, or the intent to create one."""

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("hook_id", "kind", "local_id"),
        CheckConstraint("(state = 'intent') = (remote_id IS NULL)", name="intent_has_no_remote"),
        CheckConstraint("(state = 'gone') = (gone_reason IS NOT NULL)", name="gone_has_a_reason"),
        Index("ix_links_remote", "hook_id", "kind", "remote_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    hook_id: Mapped[int] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    local_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[LinkState] = mapped_column(values_of(LinkState))
    remote_id: Mapped[str | None] = mapped_column(String(200))
    url: Mapped[str | None] = mapped_column(Text)
    #: What the plugin stores with the link.
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: The newest version of an event that was applied, in microseconds.
    version: Mapped[int | None] = mapped_column(BigInteger)
    adopted: Mapped[bool] = mapped_column(default=False)
    gone_reason: Mapped[str | None] = mapped_column(Text)
    #: By what to recognise the record that an unanswered create may have made, and who began it.
    natural_key: Mapped[str] = mapped_column(Text, default="")
    begun_at: Mapped[datetime] = mapped_column(Moment)
    lane_id: Mapped[int | None] = mapped_column(BigId)
    epoch: Mapped[int | None]
    updated_at: Mapped[datetime] = mapped_column(Moment)


class IdentityClaim(Model):
    """A key of a person (email, phone) on which one lane is working.

    The claim is valid while the lane is leased with this epoch.
    """

    __tablename__ = "identity_claims"

    hook_id: Mapped[int] = mapped_column(
        ForeignKey("hooks.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    lane_id: Mapped[int] = mapped_column(BigId)
    epoch: Mapped[int]
