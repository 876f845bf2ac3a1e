"""Accounts."""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hub.accounts.errors import NotFound, Refused
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.models import Account


def create(name: str, default_region: str | None = None, features: Sequence[str] = ()) -> Account:
    """Make an account.

    :raises Refused: the name is empty or taken, or there is no such country.
    """
    name = name.strip()
    if not name:
        raise Refused("An account needs a name.")
    region = default_region.upper() if default_region else None
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(f"{default_region} is not a two-letter country code such as FR.")
    account = Account(
        name=name,
        default_region=region,
        features=sorted(set(features)),
        created_at=SystemClock().now(),
    )
    try:
        in_transaction(lambda session: session.add(account))
    except IntegrityError as error:
        raise Refused(f"There is an account named {name} already.") from error
    return account


def find(reference: str | int) -> Account:
    """The account of an id or a name.

    :raises NotFound: there is none.
    """
    text = str(reference)
    wanted = Account.id == int(text) if text.isdecimal() else Account.name == text
    with reading() as session:
        account = session.scalar(select(Account).where(wanted))
    if account is None:
        raise NotFound(f"There is no account {reference}.")
    return account


def listed() -> Sequence[Account]:
    """All accounts."""
    with reading() as session:
        return session.scalars(select(Account).order_by(Account.id)).all()
