"""API tokens: shown once, stored as a digest, limited to scopes and an account."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.access.identity import Identity
from hub.access.permissions import Permission
from hub.database import in_transaction, reading
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Account, ApiToken, Member, User
from hub.models.existing import stay
from hub.policy import TOKEN_DAYS
from hub.security.encryption import digest

#: Every token begins with this, so that scanners for leaked secrets recognise it.
PREFIX = "hub_"
#: 'Last used' is written at most this often, so that not every request writes.
USED_EVERY = timedelta(minutes=5)


def create(
    user_id: int,
    name: str,
    scopes: Iterable[str],
    *,
    account_id: int | None = None,
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """Create a token; returns the row, and the secret that is shown once. ``days`` is its lifetime.

    :raises Refused: the name is missing, or a scope is unknown.
    """
    name = name.strip()
    if not name or len(name) > 200:
        raise Refused("Say in a few words what the token is for.")
    known = {permission.value for permission in Permission}
    chosen = sorted(set(scopes))
    if not chosen or not known.issuperset(chosen):
        raise Refused(f"Choose what the token may do: {', '.join(sorted(known))}.")
    if days is not None and not 1 <= days <= TOKEN_DAYS:
        raise Refused(f"A token lives between 1 and {TOKEN_DAYS} days.")
    secret = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    token = ApiToken(
        user_id=user_id,
        account_id=account_id,
        name=name,
        prefix=secret[:10],
        token_digest=digest(secret),
        scopes=chosen,
        created_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )

    def add(session: Session) -> None:
        stay(session, User, user_id)
        if account_id is not None:
            stay(session, Account, account_id)
        session.add(token)

    in_transaction(add)
    return token, secret


def require_within(
    maker: Identity, scopes: Iterable[str], days: int | None, account_id: int
) -> None:
    """Check that a new token may do no more than its maker, and lives no longer.

    A scope that its maker lacks now would become effective when the maker gets a higher role.

    :raises Refused: it may do more or lives longer. ``create`` refuses unknown scopes.
    """
    known = [permission for permission in Permission if permission.value in set(scopes)]
    if not all(maker.may(permission, account_id) for permission in known):
        raise Refused("A token can only get scopes that you have here yourself.")
    if maker.until is not None and (
        days is None or clock.now() + timedelta(days=days) > maker.until
    ):
        raise Refused("A token can only make tokens that end no later than it does itself.")


def listed(*, account_id: int | None = None, user_id: int | None = None) -> Sequence[ApiToken]:
    """The tokens of an account, or of a user."""
    query = select(ApiToken).order_by(ApiToken.id)
    if account_id is not None:
        query = query.where(ApiToken.account_id == account_id)
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    with reading() as session:
        return session.scalars(query).all()


def revoke(token_id: int) -> None:
    """End a token.

    :raises NotFound: there is none.
    """

    def work(session: Session) -> None:
        token = session.get(ApiToken, token_id)
        if token is None:
            raise NotFound(f"There is no token {token_id}.")
        session.delete(token)

    in_transaction(work)


def identify(secret: str) -> Identity | None:
    """Whose token this is; ``None`` if it has expired or is unknown."""
    now = clock.now()
    with reading() as session:
        row = session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.token_digest == digest(secret),
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            )
        ).one_or_none()
        if row is None:
            return None
        token, user = row[0], row[1]
        members = session.scalars(select(Member).where(Member.user_id == user.id)).all()
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        in_transaction(
            lambda session: session.execute(
                update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now)
            )
        )
    return Identity(
        user,
        {member.account_id: member.role for member in members},
        # An unknown scope, stored by a newer version of the hub, allows nothing.
        scopes=frozenset(one for one in Permission if one.value in token.scopes),
        only_account=token.account_id,
        until=token.expires_at,
    )
