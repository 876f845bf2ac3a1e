"""Hooks (plugins in accounts) and their circuit breakers."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment
from hub.models.values import values_of
from hub.security.encryption import LazyJson


class HookStatus(enum.StrEnum):
    """The status of a hook, as people see it."""

    SETTING_UP = "setting_up"
    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    DEGRADED = "degraded"


#: In these statuses deliveries are worked on; in all others they wait.
WORKING = (HookStatus.ACTIVE, HookStatus.DEGRADED)


class BreakerState(enum.StrEnum):
    """A closed breaker lets all calls through, an open one none, a half-open one a single call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Hook(Model):
    """A plugin in an account, with its settings.

    A disabled hook gets no new deliveries. A hook that is paused or needs attention gets them, and
    they are worked on later.
    """

    __tablename__ = "hooks"
    __table_args__ = (
        CheckConstraint("(hook_type = 'inbox') = (inbox_id IS NOT NULL)", name="inbox_given"),
        Index("ix_hooks_account", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    plugin_id: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(200))
    hook_type: Mapped[str] = mapped_column(String(10), default="account")
    inbox_id: Mapped[str | None] = mapped_column(String(100))
    #: "<account>:<plugin>" if the plugin allows one hook per account, else NULL.
    only_one: Mapped[str | None] = mapped_column(String(80), unique=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    status: Mapped[HookStatus] = mapped_column(values_of(HookStatus), default=HookStatus.SETTING_UP)
    #: A sentence about the status that also says what to do, if anything.
    status_detail: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    secrets: Mapped[dict[str, str]] = mapped_column(LazyJson, default=dict)
    #: What the plugin's setup found out about the remote system.
    learned: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: NULL: the plugin's default.
    concurrency: Mapped[int | None]
    calls_per_second: Mapped[float | None]
    #: Hosts in private networks that it may call, separated by spaces. NULL: the hook is older than
    #: this column and may still call all that it could call then.
    doors: Mapped[str | None] = mapped_column(Text)
    #: Counts changes, so that two people who edit at once do not overwrite each other.
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class Breaker(Model):
    """The circuit breaker of a hook. A hook without a row never failed: its breaker is closed."""

    __tablename__ = "breakers"

    hook_id: Mapped[int] = mapped_column(
        ForeignKey("hooks.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[BreakerState] = mapped_column(values_of(BreakerState))
    #: Transient failures since the last success.
    failures: Mapped[int] = mapped_column(default=0)
    #: Probes that failed since it opened.
    probes: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    #: The next probe, or the end of a pause that the remote system asked for. No call before it.
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
