"""The audit log: who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment


class AuditEntry(Model):
    """One action of a person. No foreign keys: the entry stays when its subject is deleted."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    user_id: Mapped[int | None] = mapped_column(BigId)
    #: Name and email at that time, or "command line".
    actor: Mapped[str] = mapped_column(String(500))
    address: Mapped[str] = mapped_column(String(100), default="")
    account_id: Mapped[int | None] = mapped_column(BigId)
    #: "hook.updated", "delivery.replayed", ...
    action: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int | None] = mapped_column(BigId)
    #: The fields that changed. Of a secret only "changed" is stored.
    before: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
