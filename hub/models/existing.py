"""Finding a row by its number, or raising ``NotFound``.

Call it in the same transaction that changes the row. Otherwise somebody else may delete the row
between the two.
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
    """The row with this number.

    :raises NotFound: there is no such row.
    """
    row = session.get(kind, number)
    if row is None:
        raise missing(kind, number)
    return row


def stay(session: Session, kind: type[Kind], number: int) -> None:
    """Lock the row, so that nobody deletes it before this transaction ends. For transactions that
    insert rows which belong to it.

    :raises NotFound: there is no such row.
    """
    # SQLite ignores the lock: it has one writer.
    if session.get(kind, number, with_for_update={"read": True, "key_share": True}) is None:
        raise missing(kind, number)


def missing(kind: type[Kind], number: int) -> NotFound:
    """The error for a row that does not exist."""
    return NotFound(_NAME.sub(str(number), _SENTENCES[kind]))
