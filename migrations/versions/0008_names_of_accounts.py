"""Two accounts may have one name: whoever renames his own learned by a refusal that another has it.

SQLite drops no constraint, so its table is made anew. It is small: a row for each team.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NAME, _TABLE = "uq_accounts_name", "accounts"
_UNIQUE = f", CONSTRAINT {_NAME} UNIQUE (name)"
_AS_WRITTEN = re.compile(rf",\s*CONSTRAINT {_NAME} UNIQUE \(name\)")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(lambda sql: _AS_WRITTEN.sub("", sql))
    else:
        op.drop_constraint(_NAME, _TABLE, type_="unique")


def downgrade() -> None:
    """Fails where two accounts have one name: give one another first."""
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(lambda sql: f"{sql[: sql.rindex(')')]}{_UNIQUE})")
    else:
        op.create_unique_constraint(_NAME, _TABLE, ["name"])


def _make_anew(changed: Callable[[str], str]) -> None:
    """Make the table by the changed statement. Its rows stay, and the ids that it has given out."""
    connection = op.get_bind()

    def one(query: str) -> Any:
        return connection.exec_driver_sql(query).scalar()

    statement = one(f"SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = '{_TABLE}'")
    largest = one(f"SELECT seq FROM sqlite_sequence WHERE name = '{_TABLE}'")
    head, rest = changed(statement).split("(", 1)
    for step in (
        f"{head.replace(_TABLE, f'_new_{_TABLE}')}({rest}",
        f"INSERT INTO _new_{_TABLE} SELECT * FROM {_TABLE}",
        f"DROP TABLE {_TABLE}",
        f"ALTER TABLE _new_{_TABLE} RENAME TO {_TABLE}",
        f"DELETE FROM sqlite_sequence WHERE name IN ('{_TABLE}', '_new_{_TABLE}')",
        f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{_TABLE}', {int(largest or 0)})",
    ):
        connection.exec_driver_sql(step)
