"""Sessions: browsers that are signed in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hub import audit, clock, services
from hub.access import (
    devices,
    passwords,
    throttle,
)
from hub.access.identity import Identity
from hub.database import in_transaction, reading
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Member, User, UserSession
from hub.models.existing import existing
from hub.policy import LifetimePolicy
from hub.security.encryption import digest

#: 'Last seen' is written at most this often, so that not every request writes.
SEEN_EVERY = timedelta(minutes=5)


def sign_in(
    email: str, password: str, address: str, user_agent: str, device: str | None = None
) -> tuple[User, str]:
    """Sign in; returns the user and the token of a new session. ``device`` is the cookie of a known
    device.

    :raises TooManyTries: there were too many failures; the person must wait.
    :raises Refused: email or password are wrong. The message does not say which.
    """
    email = email.strip().lower()
    counted = throttle.of_sign_in(email, address, devices.known(device, email))
    throttle.admit(counted)
    with reading() as session:
        user = session.scalar(select(User).where(User.email == email))
    if not passwords.is_right(user.password_hash if user else None, password) or user is None:
        with audit.acting(audit.Actor(f"somebody as {email[:254]}", None, address)):
            number = user.id if user else None
            audit.note("user.sign_in_failed", account_id=None, subject_id=number)
        raise Refused("The email or the password is wrong.")
    throttle.succeeded(counted)
    return user, begin(user.id, address, user_agent)


def begin(user_id: int, address: str, user_agent: str) -> str:
    """Start a session for the user; returns its token."""
    token = secrets.token_urlsafe(32)
    now = clock.now()

    def work(session: Session) -> None:
        user = existing(session, User, user_id)
        with audit.acting(audit.Actor(f"{user.name} <{user.email}>", user_id, address)):
            audit.note("user.signed_in", account_id=None, subject_id=user_id, within=session)
        session.execute(delete(UserSession).where(UserSession.expires_at < now))
        session.add(
            UserSession(
                user_id=user_id,
                token_digest=digest(token),
                address=address,
                user_agent=user_agent[:300],
                created_at=now,
                last_seen_at=now,
                expires_at=now + _lifetimes().idle,
            )
        )

    in_transaction(work)
    return token


def identify(token: str) -> Identity | None:
    """Whose session this is; ``None`` if it has ended or is unknown."""
    now = clock.now()
    with reading() as session:
        row = session.execute(
            select(UserSession, User)
            .join(User, User.id == UserSession.user_id)
            .where(UserSession.token_digest == digest(token), UserSession.expires_at > now)
        ).one_or_none()
        if row is None:
            return None
        found, user = row[0], row[1]
        members = session.scalars(select(Member).where(Member.user_id == user.id)).all()
    if now - found.last_seen_at > SEEN_EVERY:
        _see(found, now)
    return Identity(user, {member.account_id: member.role for member in members}, found.id)


def listed(user_id: int) -> Sequence[UserSession]:
    """A user's sessions, the most recently used first."""
    now = clock.now()
    with reading() as session:
        return session.scalars(
            select(UserSession)
            .where(UserSession.user_id == user_id, UserSession.expires_at > now)
            .order_by(UserSession.last_seen_at.desc())
        ).all()


def end(user_id: int, session_id: int) -> None:
    """Sign out of one of a user's sessions.

    :raises NotFound: the user has no such session.
    """
    ended = in_transaction(
        lambda session: session.execute(
            delete(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == user_id)
            .returning(UserSession.id)
        ).one_or_none()
    )
    if ended is None:
        raise NotFound("There is no such session.")


def end_all(user_id: int, *, keep: int | None = None) -> None:
    """Sign a user out everywhere except for the session ``keep``."""
    query = delete(UserSession).where(UserSession.user_id == user_id)
    if keep is not None:
        query = query.where(UserSession.id != keep)
    in_transaction(lambda session: session.execute(query))


def _lifetimes() -> LifetimePolicy:
    return services.current().config.policies.lifetime


def _see(found: UserSession, now: datetime) -> None:
    lifetimes = _lifetimes()
    expires = min(now + lifetimes.idle, found.created_at + lifetimes.session)
    in_transaction(
        lambda session: session.execute(
            update(UserSession)
            .where(UserSession.id == found.id)
            .values(last_seen_at=now, expires_at=expires)
        )
    )
