"""Sources: where events come from; and requests that were refused but kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Model, Moment
from hub.security.encryption import EncryptedJson, EncryptedText, LazyText


class Source(Model):
    """An inbound webhook address of an account, with an unguessable token in it."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    #: A name of ``hub.inbox.sources.KINDS``.
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    #: The digest serves to look the token up, the encrypted token to show it again.
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(LazyText)
    signing_secret: Mapped[str | None] = mapped_column(LazyText)
    #: Whether requests without a signature are taken (Chatwoot before 4.11.2 does not sign).
    allow_unsigned: Mapped[bool] = mapped_column(default=False)
    #: Where people open the source. Links to conversations begin with it.
    base_url: Mapped[str | None] = mapped_column(String(500))
    #: The account's number in the source, for payloads that do not contain it.
    external_account_id: Mapped[str | None] = mapped_column(String(100))
    enabled: Mapped[bool] = mapped_column(default=True)
    #: Hosts in private networks from which its files may be fetched, as for a hook.
    doors: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class QuarantinedRequest(Model):
    """A refused request of a known source. The sender will not send it again, so it is kept."""

    __tablename__ = "quarantined_requests"
    __table_args__ = (Index("ix_quarantined_requests_source", "source_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    received_at: Mapped[datetime] = mapped_column(Moment)
    #: The reason in one word: signature_wrong, not_json, bad_payload, ...
    code: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    #: Header names in lower case.
    headers: Mapped[dict[str, Any]] = mapped_column(EncryptedJson, deferred=True)
    #: The exact bytes, base64.
    body: Mapped[str] = mapped_column(EncryptedText, deferred=True)
