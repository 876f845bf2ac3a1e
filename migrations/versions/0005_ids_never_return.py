"""An id is never given out twice.

SQLite gave the id of the last row that was deleted to the next one. What outlives a row names it
by its id: links and lanes a source, the audit log an account, a receiver of webhooks an event. So
a new source could inherit a deleted one's conversations. AUTOINCREMENT keeps ids from returning,
and they go on above the largest that anything still names. PostgreSQL's sequences never go back.

The change is made in SQLite's schema alone, without copying a row: it takes milliseconds, whatever
the size of the database. The door is shut meanwhile, and Chatwoot tries only once. Where SQLite
refuses such a change (Apple's does), the tables are copied. docs/decisions/0012-ids-never-return.md
has the figures.
"""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PLAIN, _LASTING = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"

#: What names a row after it is gone, by table: SELECTs of one number.
_NAMED = {
    "accounts": (
        "SELECT max(account_id) FROM audit_entries",
        "SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'account.%'",
    ),
    "sources": (
        # Local ids and lanes begin with the source's id. A plugin's own ids may begin with any
        # number: what no installation can have is not believed.
        (
            "SELECT max(n) FROM (SELECT CAST(local_id AS INTEGER) AS n FROM links"
            " WHERE local_id GLOB '[0-9]*/*') WHERE n < 1000000"
        ),
        (
            "SELECT max(n) FROM (SELECT CAST(key AS INTEGER) AS n FROM lanes"
            " WHERE key GLOB '[0-9]*/*') WHERE n < 1000000"
        ),
        "SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'source.%'",
    ),
    "hooks": (
        (
            "SELECT max(subject_id) FROM audit_entries"
            " WHERE action LIKE 'hook.%' OR action LIKE 'breaker.%'"
        ),
    ),
    "deliveries": (
        "SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'delivery.%'",
        "SELECT max(batch_of) FROM attempts",
    ),
    "lanes": (
        "SELECT max(lane_id) FROM links",
        "SELECT max(lane_id) FROM identity_claims",
    ),
    "quarantined_requests": (
        (
            "SELECT max(subject_id) FROM audit_entries"
            " WHERE action LIKE 'request.%' OR action LIKE 'quarantined_request.%'"
        ),
    ),
    "users": (
        "SELECT max(user_id) FROM audit_entries",
        "SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'user.%'",
    ),
    "api_tokens": ("SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'api_token.%'",),
    "invitations": ("SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'invitation.%'",),
    "user_sessions": (
        "SELECT max(subject_id) FROM audit_entries WHERE action LIKE 'user_session.%'",
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    driver = _driver(connection)
    tables = _tables(driver, _PLAIN)
    # SQLite makes its table of sequences with the first table that needs it.
    driver.execute("CREATE TABLE _first (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    driver.execute("DROP TABLE _first")
    _rewrite(driver, tables, _PLAIN, _LASTING)
    for name in tables:
        queries = (f"SELECT max(id) FROM {name}", *_NAMED.get(name, ()))
        seen = [driver.execute(query).fetchone()[0] for query in queries]
        largest = max((int(number) for number in seen if number is not None), default=0)
        driver.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        driver.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, largest))


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        driver = _driver(connection)
        _rewrite(driver, _tables(driver, _LASTING), _LASTING, _PLAIN)


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection), "the engine's driver is Python's own"
    return driver


def _tables(driver: sqlite3.Connection, key: str) -> dict[str, str]:
    """The statements that make the tables with this kind of primary key, by the table's name."""
    rows = driver.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return {name: sql for name, sql in rows if key in str(sql)}


def _rewrite(driver: sqlite3.Connection, tables: dict[str, str], old: str, new: str) -> None:
    """Make these tables have the new kind of primary key, with all their rows."""
    try:
        _change_schema(driver, tables, old, new)
    except sqlite3.OperationalError as error:
        if "may not be modified" not in str(error):
            raise
        _copy_tables(driver, tables, old, new)


def _change_schema(driver: sqlite3.Connection, tables: dict[str, str], old: str, new: str) -> None:
    """As https://www.sqlite.org/lang_altertable.html describes for changes that leave the rows as
    they are. A transaction is open, so all of it is there in the end or nothing."""
    before = _shape(driver, tables)
    (number,) = driver.execute("PRAGMA schema_version").fetchone()
    driver.execute("PRAGMA writable_schema = ON")
    try:
        for name, sql in tables.items():
            driver.execute(
                "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
                (sql.replace(old, new), name),
            )
        driver.execute(f"PRAGMA schema_version = {number + 1}")
    finally:
        driver.execute("PRAGMA writable_schema = RESET")
    if _shape(driver, tables) != before:
        raise RuntimeError("SQLite reads the changed schema otherwise; nothing was changed.")


def _copy_tables(driver: sqlite3.Connection, tables: dict[str, str], old: str, new: str) -> None:
    for name, sql in tables.items():
        made = driver.execute(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND type = 'index'"
            " AND sql IS NOT NULL",
            (name,),
        ).fetchall()
        head, rest = sql.split("(", 1)
        driver.execute(f"{head.replace(name, f'_new_{name}')}({rest.replace(old, new)}")
        driver.execute(f"INSERT INTO _new_{name} SELECT * FROM {name}")
        driver.execute(f"DROP TABLE {name}")
        driver.execute(f"ALTER TABLE _new_{name} RENAME TO {name}")
        for (index,) in made:
            driver.execute(index)
    if broken := driver.execute("PRAGMA foreign_key_check").fetchone():
        raise RuntimeError(f"A row of {broken[0]} points to nothing in {broken[2]}.")


def _shape(driver: sqlite3.Connection, tables: dict[str, str]) -> dict[str, object]:
    return {
        name: (
            driver.execute(f"PRAGMA table_info({name})").fetchall(),
            driver.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
            driver.execute(f"PRAGMA index_list({name})").fetchall(),
        )
        for name in tables
    }
