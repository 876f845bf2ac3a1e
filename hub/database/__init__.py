"""The database: SQLite or PostgreSQL, with the same promises from both.

``engine`` reads and writes, ``opening`` opens one, ``types`` are the columns' types. ``sqlite`` and
``postgresql`` say how a process uses each; ``prepared`` compiles statements once, ``group_commit``
lets many share a transaction.
"""

from hub.database.engine import (
    connection_of,
    database,
    db,
    dialect_of,
    in_reading,
    in_transaction,
    insert,
    insert_into,
    is_away,
    may_pass,
    reading,
    table_of,
    transaction,
)
from hub.database.types import (
    Base,
    BigId,
    Json,
    JsonText,
    Model,
    Moment,
    from_microseconds,
    to_json,
    to_microseconds,
)

__all__ = [
    "Base",
    "BigId",
    "Json",
    "JsonText",
    "Model",
    "Moment",
    "connection_of",
    "database",
    "db",
    "dialect_of",
    "from_microseconds",
    "in_reading",
    "in_transaction",
    "insert",
    "insert_into",
    "is_away",
    "may_pass",
    "reading",
    "table_of",
    "to_json",
    "to_microseconds",
    "transaction",
]
