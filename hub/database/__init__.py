"""The database: SQLite or PostgreSQL. Both keep the same promises.

``engine`` has the functions that read and write, ``opening`` opens the database of a configuration,
``types`` has the column types. ``sqlite`` and ``postgresql`` say how a process uses each of them.
``prepared`` compiles statements once; ``group_commit`` lets several threads share a transaction.
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
