"""People who use the hub: users, memberships, sessions, invitations and API tokens."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.database import BigId, Json, Model, Moment
from hub.models.values import values_of


class Role(enum.StrEnum):
    """The role of a member in an account. ``hub.access.permissions`` says what each may do."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


class User(Model):
    """A person. An administrator may do everything in every account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_in_lower_case"),
        CheckConstraint("length(name) > 0", name="name_given"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: Argon2id, with its parameters and salt.
    password_hash: Mapped[str] = mapped_column(String(200))
    administrator: Mapped[bool] = mapped_column(default=False)
    #: One of ``hub.dashboard.languages``; NULL follows the browser.
    language: Mapped[str | None] = mapped_column(String(10))
    #: An IANA name; NULL shows UTC.
    timezone: Mapped[str | None] = mapped_column(String(60))
    #: "light" or "dark"; NULL follows the device.
    theme: Mapped[str | None] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(Moment)


class Member(Model):
    """A user's place in an account."""

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_user", "user_id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(values_of(Role))


class UserSession(Model):
    """A browser that is signed in."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index("ix_user_sessions_user", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(100))
    user_agent: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class Invitation(Model):
    """A one-time link: to become a user, to join an account, or to set a new password."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) = (role IS NULL)", name="role_in_an_account"),
        Index("ix_invitations_account", "account_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: Whom it is for: the user who sets a new password, or the address that is invited.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str | None] = mapped_column(String(254))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    role: Mapped[Role | None] = mapped_column(values_of(Role))
    administrator: Mapped[bool] = mapped_column(default=False)
    #: The user who made it. It ends when that user may no longer invite. NULL: the command line.
    made_by: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class ApiToken(Model):
    """A bearer token. It may do what its user may do, limited to its scopes and one account."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_account", "account_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    #: NULL: all accounts of the user.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    #: The beginning of the token, by which people recognise it.
    prefix: Mapped[str] = mapped_column(String(12))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: Values of ``hub.access.permissions.Permission``.
    scopes: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)


class SignInFailures(Model):
    """Failed sign-ins of an email or from an address, for the throttle."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: A digest, so that the table does not show whose password was tried.
    key: Mapped[str] = mapped_column(String(64))
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(Moment)
