"""Sources: the inbound webhooks of an account."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.accounts.errors import NotFound, Refused
from hub.clock import SystemClock
from hub.config import Config
from hub.database import in_transaction, reading
from hub.inbox.sources import KINDS
from hub.models import Account, Source
from hub.security.encryption import digest


def create(
    account: Account,
    kind: str,
    *,
    name: str = "",
    signing_secret: str | None = None,
    base_url: str | None = None,
    allow_unsigned: bool = False,
    external_account_id: str | None = None,
) -> Source:
    """Make a source with an unguessable address.

    :raises Refused: the kind is unknown or the base URL is not an address.
    """
    if kind not in KINDS:
        raise Refused(f"There is no source kind {kind!r}; there are: {', '.join(KINDS)}.")
    token = secrets.token_urlsafe(32)
    source = Source(
        account_id=account.id,
        kind=kind,
        name=name or kind,
        token=token,
        token_digest=digest(token),
        signing_secret=signing_secret or None,
        base_url=_address(base_url),
        allow_unsigned=allow_unsigned,
        external_account_id=external_account_id,
        created_at=SystemClock().now(),
    )
    in_transaction(lambda session: session.add(source))
    return source


def update(
    source_id: int,
    *,
    signing_secret: str | None = None,
    base_url: str | None = None,
    allow_unsigned: bool | None = None,
    enabled: bool | None = None,
) -> Source:
    """Change what is given; ``None`` leaves it. Takes effect within a second.

    :raises NotFound: there is no such source.
    :raises Refused: the base URL is not an address.
    """
    find(source_id)

    def work(session: Session) -> Source:
        source = session.get_one(Source, source_id)
        if signing_secret is not None:
            source.signing_secret = signing_secret or None
        if base_url is not None:
            source.base_url = _address(base_url)
        if allow_unsigned is not None:
            source.allow_unsigned = allow_unsigned
        if enabled is not None:
            source.enabled = enabled
        return source

    return in_transaction(work)


def find(source_id: int) -> Source:
    """The source of an id.

    :raises NotFound: there is none.
    """
    with reading() as session:
        source = session.get(Source, source_id)
    if source is None:
        raise NotFound(f"There is no source {source_id}.")
    return source


def listed(account: Account | None = None) -> Sequence[Source]:
    """The sources of an account, or all."""
    query = select(Source).order_by(Source.id)
    if account is not None:
        query = query.where(Source.account_id == account.id)
    with reading() as session:
        return session.scalars(query).all()


def webhook_url(source: Source) -> str:
    """The address that is entered at the sender."""
    config: Config = current_app.extensions["hub.config"]
    return f"{config.public_url}/webhooks/{source.kind}/{source.token}"


def _address(url: str | None) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"The base URL must begin with https:// or http://, not {url!r}.")
    return url.rstrip("/")
