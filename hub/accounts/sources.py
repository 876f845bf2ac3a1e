"""Sources: the inbound webhooks of an account."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock, services
from hub.accounts import doors
from hub.database import in_transaction, reading
from hub.errors import Refused
from hub.inbox.sources import KINDS
from hub.models import OPEN, Account, Delivery, Event, Source
from hub.models.existing import (
    existing,
    stay,
)
from hub.security.encryption import Undecryptable, digest, is_readable

#: Events of an account that are searched for a source's last one.
RECENT = 2_000


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
        doors=doors.opened("", [base_url]),
        allow_unsigned=allow_unsigned,
        external_account_id=external_account_id,
        created_at=clock.now(),
    )

    def add(session: Session) -> None:
        stay(session, Account, account.id)
        session.add(source)

    in_transaction(add)
    return source


def update(
    source_id: int,
    *,
    name: str | None = None,
    signing_secret: str | None = None,
    base_url: str | None = None,
    allow_unsigned: bool | None = None,
    enabled: bool | None = None,
) -> Source:
    """Change what is given; ``None`` leaves it. Takes effect within a second.

    :raises NotFound: there is no such source.
    :raises Refused: the base URL is not an address.
    """

    def work(session: Session) -> Source:
        source = existing(session, Source, source_id)
        if name is not None:
            source.name = name.strip() or source.kind
        if signing_secret is not None:
            source.signing_secret = signing_secret or None
        if base_url is not None and source.base_url != _address(base_url):
            source.base_url = _address(base_url)
            source.doors = doors.opened("", [base_url])
        if allow_unsigned is not None:
            source.allow_unsigned = allow_unsigned
        if enabled is not None:
            source.enabled = enabled
        return source

    return in_transaction(work)


def remove(source_id: int) -> None:
    """Delete a source with its events and what is owed of them.

    :raises NotFound: there is no such source.
    :raises Refused: something is owed still.
    """

    def work(session: Session) -> None:
        owed = session.scalar(
            select(Delivery.id)
            .join(Event, Event.id == Delivery.event_id)
            .where(Delivery.state.in_(OPEN), Event.source_id == source_id)
            .limit(1)
        )
        if owed is not None:
            raise Refused("Deliveries of this source are still owed. Switch it off and wait.")
        session.delete(existing(session, Source, source_id))

    in_transaction(work)


def find(source_id: int) -> Source:
    """The source of an id.

    :raises NotFound: there is none.
    """
    with reading() as session:
        return existing(session, Source, source_id)


def listed(account: Account | None = None) -> Sequence[Source]:
    """The sources of an account, or all."""
    query = select(Source).order_by(Source.id)
    if account is not None:
        query = query.where(Source.account_id == account.id)
    with reading() as session:
        return session.scalars(query).all()


def newest_event(source: Source) -> Event | None:
    """The last event that came by this source, or one of long ago if all recent are others'."""
    recent = (
        select(Event.id, Event.source_id)
        .where(Event.account_id == source.account_id)
        .order_by(Event.id.desc())
        .limit(RECENT)
        .subquery()
    )
    newest = select(func.max(recent.c.id)).where(recent.c.source_id == source.id)
    with reading() as session:
        number = session.scalar(newest)
        if number is not None:
            return session.get(Event, number)
        return session.scalar(select(Event).where(Event.source_id == source.id).limit(1))


def detail(source: Source) -> str:
    """That its secrets cannot be read; empty when they can."""
    can_be_read = is_readable(source.token) and is_readable(source.signing_secret)
    return "" if can_be_read else str(Undecryptable())


def webhook_url(source: Source) -> str | None:
    """The address that is entered at the sender; ``None`` when it cannot be read."""
    if not is_readable(source.token):
        return None
    config = services.current().config
    return f"{config.public_url}/webhooks/{source.kind}/{source.token}"


def _address(url: str | None) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused(f"The base URL must begin with https:// or http://, not {url!r}.")
    return url.rstrip("/")
