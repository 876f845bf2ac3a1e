"""Users: the people of this hub."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub import audit
from hub.access import (
    passwords,
    sessions,
    throttle,
)
from hub.database import in_transaction, reading
from hub.errors import Refused
from hub.models import Invitation, User
from hub.models.existing import existing

LONGEST_NAME = 200
LONGEST_EMAIL = 254


def anybody() -> bool:
    """Whether there is any user."""
    with reading() as session:
        return session.scalar(select(User.id).limit(1)) is not None


def find(user_id: int) -> User:
    """The user with this id.

    :raises NotFound: there is no such user.
    """
    with reading() as session:
        return existing(session, User, user_id)


def of_email(email: str) -> User | None:
    """The user with this email address."""
    with reading() as session:
        return session.scalar(select(User).where(User.email == email.strip().lower()))


def listed() -> Sequence[User]:
    """All users."""
    with reading() as session:
        return session.scalars(select(User).order_by(User.id)).all()


def checked_email(email: str) -> str:
    """The email address in the form that is stored.

    :raises Refused: it is not an email address.
    """
    email = email.strip().lower()
    local, _, domain = email.rpartition("@")
    if not local or not domain or len(email) > LONGEST_EMAIL or any(c.isspace() for c in email):
        raise Refused("Enter an email address, such as ana@example.com.")
    return email


def checked_name(name: str) -> str:
    """The name in the form that is stored.

    :raises Refused: it is empty or too long.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused(f"Enter a name of at most {LONGEST_NAME} characters.")
    return name


def update(
    user_id: int,
    *,
    name: str,
    language: str | None,
    timezone: str | None,
    theme: str | None,
) -> User:
    """Change a user's name, and the language, time zone and theme of the dashboard.

    :raises NotFound: there is no such user.
    :raises Refused: the name is empty, or the time zone unknown.
    """
    name = checked_name(name)
    if timezone and timezone not in zoneinfo.available_timezones():
        raise Refused(f"{timezone} is not a time zone such as Europe/Paris.")

    def work(session: Session) -> User:
        user = existing(session, User, user_id)
        user.name, user.language = name, language or None
        user.timezone, user.theme = timezone or None, theme or None
        return user

    return in_transaction(work)


def change_password(user_id: int, old: str, new: str, *, keep_session: int | None) -> None:
    """Set a new password. All other sessions of the user end, and links for a new password too.

    :raises TooManyTries: the old password was entered wrongly too often.
    :raises Refused: the old password is wrong, or the new one too weak.
    """
    user, counted = find(user_id), throttle.of_change(user_id)
    throttle.admit(counted)
    if not passwords.is_right(user.password_hash, old):
        audit.note("user.password_change_failed", account_id=None, subject_id=user_id)
        raise Refused("The current password is wrong.")
    throttle.succeeded(counted)
    stored = passwords.hashed(new, user.email, user.name)

    def work(session: Session) -> None:
        existing(session, User, user_id).password_hash = stored
        session.execute(delete(Invitation).where(Invitation.user_id == user_id))

    in_transaction(work)
    sessions.end_all(user_id, keep=keep_session)


def set_administrator(user_id: int, administrator: bool) -> None:
    """Give somebody the rights of an administrator, or take them away.

    :raises NotFound: there is no such user.
    :raises Refused: there would be no administrator left.
    """

    def work(session: Session) -> None:
        user = existing(session, User, user_id)
        if not administrator:
            _require_another_administrator(session, user)
        user.administrator = administrator

    in_transaction(work)


def remove(user_id: int) -> None:
    """Delete a user with all memberships, sessions and tokens.

    :raises NotFound: there is no such user.
    :raises Refused: the user is the last administrator.
    """

    def work(session: Session) -> None:
        user = existing(session, User, user_id)
        _require_another_administrator(session, user)
        session.delete(user)

    in_transaction(work)


def _require_another_administrator(session: Session, user: User) -> None:
    other = session.scalar(select(User.id).where(User.administrator, User.id != user.id).limit(1))
    if user.administrator and other is None:
        raise Refused("This is the last administrator. Make another one first.")
