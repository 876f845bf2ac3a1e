"""Events: what happened, as it was accepted. Events are never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment


class Event(Model):
    """One canonical event with the webhook it came in."""

    __tablename__ = "events"
    __table_args__ = (
        # Two kinds of duplicates: the same thing with another delivery id, and the same delivery
        # sent again.
        UniqueConstraint("source_id", "dedupe_key"),
        UniqueConstraint("source_id", "delivery_id", "part"),
        Index("ix_events_account", "account_id", "id"),
        Index("ix_events_conversation", "source_id", "conversation_id", "id"),
        Index("ix_events_contact", "source_id", "contact_id", "id"),
        Index("ix_events_received", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(40))
    #: The natural key within the source.
    dedupe_key: Mapped[str] = mapped_column(String(200))
    #: The sender's id of the webhook, if it gives one, and the number of the event within it.
    delivery_id: Mapped[str | None] = mapped_column(String(100))
    part: Mapped[int] = mapped_column(SmallInteger, default=0)
    contact_id: Mapped[str | None] = mapped_column(String(100))
    conversation_id: Mapped[str | None] = mapped_column(String(100))
    message_id: Mapped[str | None] = mapped_column(String(100))
    occurred_at: Mapped[datetime] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    #: The moment by which it is sorted in its lane, by the source's clock. NULL: it keeps the order
    #: of its arrival.
    ordered_at: Mapped[datetime | None] = mapped_column(Moment)
    #: Its deliveries begin at this moment at the earliest, so that events which it has overtaken
    #: can arrive first. NULL: at once.
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    #: ``hub.sdk.events.to_data`` of the canonical event, without its id.
    data: Mapped[dict[str, Any]] = mapped_column(Json)
    #: The webhook as it came, with credentials replaced. It is large, so it is only read to be
    #: shown.
    payload: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)
