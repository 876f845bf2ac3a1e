"""The audit log: what people did.

Every change of a watched model is recorded automatically. Other actions, such as a replay or a
sign-in, are recorded with ``note``. Nothing is recorded without an actor: what the fleet does has
its own history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, inspect, select
from sqlalchemy.orm import Session

from hub import clock
from hub.database import Base, in_transaction, reading
from hub.models import (
    Account,
    ApiToken,
    AuditEntry,
    Hook,
    Invitation,
    Member,
    Source,
    User,
)
from hub.security.encryption import EncryptedJson, EncryptedText

#: Models whose changes are recorded automatically.
_WATCHED = (Account, ApiToken, Hook, Invitation, Member, Source, User)
#: Fields that are left out, and fields of which only 'changed' is recorded.
_UNTOLD = frozenset({"created_at", "updated_at", "last_used_at", "version"})
_HIDDEN = frozenset({"password_hash", "token_digest"})
CHANGED = "changed"
#: Entries on one page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user from an address, or the command line.

    ``opens_doors``: the actor may let the hub call hosts in a private network.
    """

    name: str
    user_id: int | None = None
    address: str = ""
    opens_doors: bool = False


COMMAND_LINE = Actor("command line", opens_doors=True)
_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Record changes in this block as the actor's."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def act_as(actor: Actor | None) -> None:
    """From now on, record changes in this context as the actor's."""
    _actor.set(actor)


def opens_doors() -> bool:
    """Whether the current actor may let the hub call hosts in a private network."""
    actor = _actor.get()
    return actor is not None and actor.opens_doors


def acting_user() -> int | None:
    """The user who acts. ``None`` on the command line, and in what the fleet does by itself."""
    actor = _actor.get()
    return None if actor is None else actor.user_id


def note(
    action: str,
    *,
    account_id: int | None,
    subject_id: int | None = None,
    after: Mapping[str, Any] | None = None,
    within: Session | None = None,
) -> None:
    """Record an action that changes no watched model, or that changes many rows at once.

    ``within`` is the transaction of the action: both are stored, or neither.
    """
    actor = _actor.get()
    if actor is None:
        return
    entry = _entry(actor, action, account_id, subject_id, {}, dict(after or {}))
    if within is None:
        in_transaction(lambda session: session.add(AuditEntry(**entry)))
    else:
        within.add(AuditEntry(**entry))


def listed(
    account_id: int | None, *, before: int | None = None, limit: int = PAGE
) -> Sequence[AuditEntry]:
    """The entries of an account, or of the whole hub, newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(AuditEntry.account_id == account_id)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    with reading() as session:
        return session.scalars(query).all()


@event.listens_for(Session, "after_flush")
def _write_down(session: Session, _: object) -> None:
    actor = _actor.get()
    if actor is None:
        return
    entries = [
        _entry(actor, f"{_kind(row)}.{deed}", _account_of(row), getattr(row, "id", None), *changes)
        for deed, rows in (
            ("created", session.new),
            ("updated", session.dirty),
            ("deleted", session.deleted),
        )
        for row in rows
        if isinstance(row, _WATCHED) and any(changes := _difference(row, deed))
    ]
    if entries:
        session.execute(insert(AuditEntry), entries)


def _account_of(row: Base) -> int | None:
    if isinstance(row, Account):
        return row.id
    account_id: int | None = getattr(row, "account_id", None)
    return account_id


def _entry(
    actor: Actor,
    action: str,
    account_id: int | None,
    subject_id: int | None,
    before: dict[str, Any],
    after: dict[str, Any],
) -> dict[str, Any]:
    return {
        "at": clock.now(),
        "user_id": actor.user_id,
        "actor": actor.name,
        "address": actor.address,
        "account_id": account_id,
        "action": action,
        "subject_id": subject_id,
        "before": before,
        "after": after,
    }


def _difference(row: Base, deed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of the changed fields: those before, those after."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    state: Any = inspect(row)
    for column in state.mapper.column_attrs:
        name = column.key
        if name in _UNTOLD or name in state.unloaded:
            continue
        history = state.attrs[name].history
        kind = column.columns[0].type
        secret = name in _HIDDEN or isinstance(kind, EncryptedText | EncryptedJson)
        if deed == "deleted":
            if not secret:
                before[name] = _told(getattr(row, name))
        elif history.has_changes():
            old = history.deleted[0] if history.deleted else None
            new = history.added[0] if history.added else None
            if old == new or (deed == "created" and new in (None, "", [], {})):
                continue
            if secret:
                after[name] = CHANGED
                continue
            if deed == "updated":
                before[name] = _told(old)
            after[name] = _told(new)
    return before, after


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _kind(row: Base) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(row).__name__).lower()
