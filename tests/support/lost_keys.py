"""Stored secrets that no key opens any more: HUB_ENCRYPTION_KEYS has lost one."""

from __future__ import annotations

from sqlalchemy import text

from hub.database import in_transaction
from hub.models import Hook, Source

SENTENCE = "A stored secret cannot be decrypted: a key is missing from HUB_ENCRYPTION_KEYS."


def lose(owner: Hook | Source) -> None:
    """Nobody can read the secrets of this one."""
    secrets = "secrets = 'lost'" if isinstance(owner, Hook) else "token = 'x', signing_secret = 'x'"
    statement = text(f"UPDATE {owner.__tablename__} SET {secrets} WHERE id = :id")
    in_transaction(lambda session: session.execute(statement, {"id": owner.id}))
