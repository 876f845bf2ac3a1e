"""Members: who belongs to an account, and in which role."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.database import in_transaction, reading
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Account, Member, Role, User
from hub.models.existing import stay


def listed(account_id: int) -> Sequence[tuple[Member, User]]:
    """The members of an account."""
    with reading() as session:
        rows = session.execute(
            select(Member, User)
            .join(User, User.id == Member.user_id)
            .where(Member.account_id == account_id)
            .order_by(User.name)
        )
        return [(row[0], row[1]) for row in rows]


def accounts_of(user: User) -> Sequence[Account]:
    """The accounts that a user may enter."""
    query = select(Account).order_by(Account.name)
    if not user.administrator:
        query = query.join(Member, Member.account_id == Account.id).where(Member.user_id == user.id)
    with reading() as session:
        return session.scalars(query).all()


def add(account_id: int, user_id: int, role: Role) -> None:
    """Make an existing user a member, or change the role.

    :raises NotFound: there is no such account or no such user.
    :raises Refused: the account would have no owner left.
    """
    in_transaction(lambda session: join(session, account_id, user_id, role))


def join(session: Session, account_id: int, user_id: int, role: Role) -> None:
    """``add``, within a transaction."""
    member = session.get(Member, (account_id, user_id))
    if member is None:
        stay(session, Account, account_id)
        stay(session, User, user_id)
        session.add(Member(account_id=account_id, user_id=user_id, role=role))
        return
    if role != Role.OWNER:
        _require_another_owner(session, member)
    member.role = role


def set_role(account_id: int, user_id: int, role: Role) -> None:
    """Change a member's role.

    :raises NotFound: this user is no member.
    :raises Refused: the account would have no owner left.
    """

    def work(session: Session) -> None:
        member = _find(session, account_id, user_id)
        if role != Role.OWNER:
            _require_another_owner(session, member)
        member.role = role

    in_transaction(work)


def remove(account_id: int, user_id: int) -> None:
    """Take a member out of the account.

    :raises NotFound: this user is no member.
    :raises Refused: the account would have no owner left.
    """

    def work(session: Session) -> None:
        member = _find(session, account_id, user_id)
        _require_another_owner(session, member)
        session.delete(member)

    in_transaction(work)


def _find(session: Session, account_id: int, user_id: int) -> Member:
    member = session.get(Member, (account_id, user_id))
    if member is None:
        raise NotFound("This user is no member of the account.")
    return member


def _require_another_owner(session: Session, member: Member) -> None:
    if member.role != Role.OWNER:
        return
    other = session.scalar(
        select(Member.user_id)
        .where(
            Member.account_id == member.account_id,
            Member.role == Role.OWNER,
            Member.user_id != member.user_id,
        )
        .limit(1)
    )
    if other is None:
        raise Refused("An account needs an owner. Make somebody else an owner first.")
