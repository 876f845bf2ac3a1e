"""Accounts."""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.database import in_transaction, reading
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Account, Hook
from hub.models.existing import existing as found

LONGEST_NAME = 200


def create(name: str, default_region: str | None = None, features: Sequence[str] = ()) -> Account:
    """Make an account. No other has its name by now; its owner may choose one that others have.

    :raises Refused: the name is empty or taken, or there is no such country.
    """
    account = Account(
        name=_checked_name(name),
        default_region=_checked_region(default_region),
        features=sorted(set(features)),
        created_at=clock.now(),
    )

    def work(session: Session) -> None:
        if session.scalar(select(Account.id).where(Account.name == account.name).limit(1)):
            raise Refused(f"There is an account named {account.name} already.")
        session.add(account)

    in_transaction(work)
    return account


def update(
    account_id: int,
    *,
    name: str | None = None,
    default_region: str | None = None,
    features: Sequence[str] | None = None,
) -> Account:
    """Change what is given; ``None`` leaves it, an empty region takes it away.

    :raises NotFound: there is no such account.
    :raises Refused: the name is empty, or there is no such country.
    """

    def work(session: Session) -> Account:
        account = found(session, Account, account_id)
        if name is not None:
            account.name = _checked_name(name)
        if default_region is not None:
            account.default_region = _checked_region(default_region)
        if features is not None:
            account.features = sorted({word.strip() for word in features if word.strip()})
        return account

    return in_transaction(work)


def remove(account_id: int) -> None:
    """Delete an account with all that belongs to it. What stands in the CRMs stays there.

    :raises NotFound: there is no such account.
    :raises Refused: it has hooks still.
    """

    def work(session: Session) -> None:
        if session.scalar(select(Hook.id).where(Hook.account_id == account_id).limit(1)):
            raise Refused("The account has connections still. Delete them first.")
        session.delete(found(session, Account, account_id))

    in_transaction(work)


def find(reference: str | int) -> Account:
    """The account of an id or a name.

    :raises NotFound: there is none.
    :raises Refused: several have this name.
    """
    text = str(reference)
    wanted = Account.id == int(text) if text.isdecimal() else Account.name == text
    with reading() as session:
        named = session.scalars(select(Account).where(wanted).order_by(Account.id)).all()
    if not named:
        raise NotFound(f"There is no account {reference}.")
    if len(named) > 1:
        numbers = ", ".join(str(account.id) for account in named)
        raise Refused(f"Several accounts are named {reference}. Give the number of one: {numbers}.")
    return named[0]


def existing(account_id: int) -> Account | None:
    """The account of an id, if there is one."""
    with reading() as session:
        return session.get(Account, account_id)


def listed() -> Sequence[Account]:
    """All accounts."""
    with reading() as session:
        return session.scalars(select(Account).order_by(Account.id)).all()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Refused("An account needs a name.")
    if len(name) > LONGEST_NAME:
        raise Refused(f"A name may have at most {LONGEST_NAME} characters.")
    return name


def _checked_region(region: str | None) -> str | None:
    if not region:
        return None
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(f"{region} is not a two-letter country code such as FR.")
    return region.upper()
