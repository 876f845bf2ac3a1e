"""State: what plugins store for their hooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import Model, Moment
from hub.security.encryption import EncryptedJson


class PluginState(Model):
    """One value that a plugin stores for one hook. It may be a secret, so it is encrypted."""

    __tablename__ = "plugin_state"

    hook_id: Mapped[int] = mapped_column(
        ForeignKey("hooks.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[Any] = mapped_column(EncryptedJson)
    #: Counts changes. If two change the value at once, the second one gets an error.
    version: Mapped[int] = mapped_column(default=1)
    #: The version of the plugin that wrote it.
    written_by: Mapped[str] = mapped_column(String(40))
    updated_at: Mapped[datetime] = mapped_column(Moment)
