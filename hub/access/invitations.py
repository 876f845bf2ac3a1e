"""One-time links: the first administrator, new members, forgotten passwords.

The hub sends no mail. Whoever makes a link has to pass it on.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub import audit, clock, services
from hub.access import (
    members,
    passwords,
    users,
)
from hub.access.permissions import OF_ROLE, Permission
from hub.database import in_transaction, reading
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Account, ApiToken, Invitation, Member, Role, User, UserSession
from hub.models.existing import (
    existing,
    stay,
)
from hub.security.encryption import digest


def first_administrator() -> str | None:
    """A link by which the first administrator signs up; ``None`` if there is a user already.

    Earlier links of this kind become invalid: only the last one works.
    """
    if users.anybody():
        return None
    in_transaction(
        lambda session: session.execute(delete(Invitation).where(Invitation.administrator))
    )
    return create(administrator=True)


def create(
    *,
    email: str | None = None,
    account_id: int | None = None,
    role: Role | None = None,
    administrator: bool = False,
) -> str:
    """A link to become a user, and a member of the account if one is given.

    :raises Refused: the email is not an email address.
    """
    return _create(
        Invitation(
            email=users.checked_email(email) if email else None,
            account_id=account_id,
            role=role,
            administrator=administrator,
        )
    )


def new_password(user_id: int) -> str:
    """A link by which a user sets a new password.

    :raises NotFound: there is no such user.
    """
    return _create(Invitation(user_id=user_id))


def find(token: str) -> Invitation:
    """The invitation of a link.

    :raises NotFound: the link was used, is too old or unknown, or its maker may no longer invite.
    """
    now = clock.now()
    with reading() as session:
        invitation = session.scalar(
            select(Invitation).where(
                Invitation.token_digest == digest(token), Invitation.expires_at > now
            )
        )
        if invitation is not None and not _may_invite(session, invitation):
            invitation = None
    if invitation is None:
        raise NotFound("This link was used already, or it is too old. Ask for a new one.")
    return invitation


def listed(account_id: int) -> Sequence[Invitation]:
    """The open invitations to an account."""
    now = clock.now()
    query = (
        select(Invitation)
        .where(Invitation.account_id == account_id, Invitation.expires_at > now)
        .order_by(Invitation.id)
    )
    with reading() as session:
        return [one for one in session.scalars(query) if _may_invite(session, one)]


def withdraw(invitation_id: int) -> None:
    """Make an invitation invalid before it is used."""

    def work(session: Session) -> None:
        invitation = session.get(Invitation, invitation_id)
        if invitation is not None:
            session.delete(invitation)

    in_transaction(work)


def sign_up(token: str, *, email: str, name: str, password: str) -> User:
    """Create a user from an invitation. The invitation cannot be used again.

    :raises NotFound: the link is not valid.
    :raises Refused: a field is wrong, or the email is taken.
    """
    invitation = find(token)
    email = users.checked_email(invitation.email or email)
    name = users.checked_name(name)
    stored = passwords.hashed(password, email, name)

    def work(session: Session) -> User:
        _use(session, invitation.id)
        if session.scalar(select(User.id).where(User.email == email)) is not None:
            raise Refused("There is a user with this email already. Sign in, then open the link.")
        user = User(
            email=email,
            name=name,
            password_hash=stored,
            administrator=invitation.administrator,
            created_at=clock.now(),
        )
        session.add(user)
        session.flush()
        _join(session, invitation, user.id)
        return user

    return in_transaction(work)


def accept(token: str, user: User) -> Invitation:
    """Let an existing user join the account of an invitation.

    :raises NotFound: the link is not valid.
    :raises Refused: the link is for somebody else, or sets a password.
    """
    invitation = find(token)
    if invitation.email and invitation.email != user.email:
        raise Refused(f"This invitation is for {invitation.email}.")
    if invitation.user_id is not None:
        raise Refused("This link sets a new password. Sign out first.")

    def work(session: Session) -> None:
        _use(session, invitation.id)
        if invitation.administrator:
            existing(session, User, user.id).administrator = True
        _join(session, invitation, user.id)

    in_transaction(work)
    return invitation


def set_password(token: str, password: str) -> User:
    """Set a new password by a link, and sign the user out everywhere.

    Somebody else may have used the user's account. So the user's API tokens and links become
    invalid, and also the links that the user made for others.

    :raises NotFound: the link is not valid.
    :raises Refused: the password is too weak.
    """
    invitation = find(token)
    if invitation.user_id is None:
        raise NotFound("This link does not set a password.")
    user_id = invitation.user_id
    owner = users.find(user_id)
    stored = passwords.hashed(password, owner.email, owner.name)

    def work(session: Session) -> User:
        _use(session, invitation.id)
        user = existing(session, User, user_id)
        user.password_hash = stored
        for held in (UserSession, ApiToken, Invitation):
            session.execute(delete(held).where(held.user_id == user_id))
        session.execute(delete(Invitation).where(Invitation.made_by == user_id))
        return user

    return in_transaction(work)


def lifetime() -> timedelta:
    """How long a link is good."""
    return services.current().config.policies.lifetime.link


def _create(invitation: Invitation) -> str:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    invitation.token_digest = digest(token)
    invitation.made_by = audit.acting_user()
    invitation.created_at, invitation.expires_at = now, now + lifetime()

    def work(session: Session) -> None:
        if invitation.user_id is not None:
            stay(session, User, invitation.user_id)
        if invitation.account_id is not None:
            stay(session, Account, invitation.account_id)
        session.execute(delete(Invitation).where(Invitation.expires_at < now))
        session.add(invitation)

    in_transaction(work)
    config = services.current().config
    return f"{config.public_url}/invitation/{token}"


def _use(session: Session, invitation_id: int) -> None:
    """Use the link up. If two use it at once, only one succeeds."""
    used = session.execute(
        delete(Invitation).where(Invitation.id == invitation_id).returning(Invitation.id)
    ).one_or_none()
    if used is None:
        raise NotFound("This link was used already. Ask for a new one.")


def _join(session: Session, invitation: Invitation, user_id: int) -> None:
    if invitation.account_id is not None and invitation.role is not None:
        members.join(session, invitation.account_id, user_id, invitation.role)


def _may_invite(session: Session, invitation: Invitation) -> bool:
    """Whether the maker of the link could still make it now."""
    if invitation.made_by is None:
        return True
    maker = session.get(User, invitation.made_by)
    if maker is None or maker.administrator:
        return maker is not None
    member = session.get(Member, (invitation.account_id or 0, maker.id))
    return member is not None and Permission.OWN in OF_ROLE.get(member.role, ())
