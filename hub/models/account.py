"""Accounts: the tenants."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment


class Account(Model):
    """A tenant: one team with its sources and hooks."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name_given"),
        CheckConstraint("default_region IS NULL OR length(default_region) = 2", name="region"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Not unique: a refusal would tell an owner which other accounts exist.
    name: Mapped[str] = mapped_column(String(200))
    #: Two-letter country code for phone numbers without a country code.
    default_region: Mapped[str | None] = mapped_column(String(2))
    #: Feature flags that are on. A plugin may require one.
    features: Mapped[list[str]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime] = mapped_column(Moment)
