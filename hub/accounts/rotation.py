"""Key rotation: every stored secret is encrypted again with the first key."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Table, Text, select, type_coerce, update
from sqlalchemy.orm import Session

from hub import services
from hub.database import Base, in_transaction
from hub.security.encryption import EncryptedJson, EncryptedText


def rotate() -> int:
    """Encrypt all secrets with the first key; returns how many.

    :raises Undecryptable: a stored secret that no key opens.
    """
    tables: list[Table] = list(Base.metadata.sorted_tables)
    return sum(in_transaction(partial(_rotate_table, table=table)) for table in tables)


def _rotate_table(session: Session, table: Table) -> int:
    columns = [c for c in table.columns if isinstance(c.type, EncryptedText | EncryptedJson)]
    if not columns:
        return 0
    keyring, count = services.current().keyring, 0
    keys = list(table.primary_key.columns)
    # As plain text: the column types themselves would decrypt and encrypt.
    raw = [type_coerce(column, Text).label(column.name) for column in columns]
    for row in session.execute(select(*keys, *raw)).mappings().all():
        values = {
            column.name: keyring.rotate(row[column.name])
            for column in columns
            if row[column.name] is not None
        }
        if values:
            session.execute(
                update(table)
                .where(
                    *(key == row[key.name] for key in keys),
                    # What was changed meanwhile is under the first key already.
                    *(type_coerce(c, Text) == row[c.name] for c in columns if c.name in values),
                )
                .values({table.c[name]: type_coerce(text, Text) for name, text in values.items()})
            )
            count += len(values)
    return count
