"""What an operator names by its number: it is there, or the answer is that it is not.

Whoever changes a thing asks for it in the transaction that changes it: between a look before and
the change somebody else may delete it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy.orm import Session

from hub.database import Model
from hub.errors import NotFound
from hub.models import Account, Hook, Source, User
from hub.sdk.translation import for_people

Kind = TypeVar("Kind", Account, Hook, Source, User)

_SENTENCES: Mapping[type[Model], str] = {
    Account: for_people("There is no account {reference}."),
    Hook: for_people("There is no hook {hook_id}."),
    Source: for_people("There is no source {source_id}."),
    User: for_people("There is no user {user_id}."),
}
_NAME = re.compile(r"\{\w+\}")


def existing(session: Session, kind: type[Kind], number: int) -> Kind:
    """The row of this number.

    :raises NotFound: there is none.
    """
    row = session.get(kind, number)
    if row is None:
        raise missing(kind, number)
    return row


def stay(session: Session, kind: type[Kind], number: int) -> None:
    """Keep the row from being deleted until the end of the transaction, which writes what belongs
    to it.

    :raises NotFound: there is none.
    """
    # SQLite has one writer, and no locks.
    if session.get(kind, number, with_for_update={"read": True, "key_share": True}) is None:
        raise missing(kind, number)


def missing(kind: type[Kind], number: int) -> NotFound:
    """The error for a thing that is not there."""
    return NotFound(_NAME.sub(str(number), _SENTENCES[kind]))
