"""Hooks: plugins installed into accounts, and the circuit breaker of each."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment
from hub.models.values import values_of
from hub.security.encryption import EncryptedJson


class HookStatus(enum.StrEnum):
    """What a person sees of a hook."""

    SETTING_UP = "setting_up"
    ACTIVE = "active"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    DEGRADED = "degraded"


#: Deliveries are worked on only in these; in the others they wait.
WORKING = (HookStatus.ACTIVE, HookStatus.DEGRADED)


class BreakerState(enum.StrEnum):
    """A circuit breaker: closed lets calls through, open does not, half-open lets one."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Hook(Model):
    """A plugin in an account, with its settings.

    A disabled hook is owed nothing new; a paused one, or one that needs attention, is owed
    everything and paid later.
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
    #: "<account>:<plugin>" where the plugin allows one hook an account, else NULL.
    only_one: Mapped[str | None] = mapped_column(String(80), unique=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    status: Mapped[HookStatus] = mapped_column(values_of(HookStatus), default=HookStatus.SETTING_UP)
    #: The status in words: a sentence, with the mend if there is something to mend.
    status_detail: Mapped[str] = mapped_column(Text, default="")
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    secrets: Mapped[dict[str, str]] = mapped_column(EncryptedJson, default=dict)
    #: What the setup service found out.
    learned: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    #: Overrides of the plugin's defaults; NULL leaves them.
    concurrency: Mapped[int | None]
    calls_per_second: Mapped[float | None]
    #: Hosts inside that it may call, with spaces between; NULL where it was made before there were
    #: doors, and keeps all that it had.
    doors: Mapped[str | None] = mapped_column(Text)
    #: Counts changes: two people who edit at once do not overwrite each other.
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class Breaker(Model):
    """The circuit breaker of a hook. No row means closed and never troubled."""

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
    #: No call before this moment: the next probe, or the end of a pause the remote asked for.
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
