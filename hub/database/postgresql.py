"""PostgreSQL: the settings of its connections, and how a process reads and writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

#: A connection that was unused for so many seconds is tested before it is used. Testing each time
#: would cost a round trip for every transaction. A connection that broke a moment ago fails in use;
#: then it is replaced and the transaction is tried again.
ASK_AFTER = 1.0
#: Seconds for which a transaction may be idle. A stopped process holds locks for which others wait;
#: a running one is idle for milliseconds only.
IDLE_TIMEOUT = 15

OPTIONS: dict[str, Any] = {
    # So that a server that has vanished is noticed soon.
    "connect_args": {
        "connect_timeout": 5,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    },
    "pool_recycle": 1_800,
}


class Postgresql:
    """A PostgreSQL database. Implements ``hub.database.engine.Database``."""

    has_one_writer = False
    #: PostgreSQL groups commits by itself.
    group = None

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        event.listen(engine, "connect", _limit_idling)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", self._ask_if_old)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """See ``hub.database.engine.transaction``."""
        with (
            self.engine.begin() as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session
            session.flush()

    def _ask_if_old(self, connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < ASK_AFTER:
            return
        dialect = self.engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            # The pool replaces this connection, and all that are as old.
            raise InvalidatePoolError("the server has closed the connection") from error

    def try_to_write(self, patience: float) -> None:
        """See ``hub.database.engine.Database.try_to_write``."""
        limit = f"'{int(patience * 1000)}ms'"
        with self.engine.connect() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = {limit}"))
            connection.execute(text(f"SET LOCAL statement_timeout = {limit}"))
            # What an INSERT takes; somebody who alters a table keeps it from that.
            connection.execute(text("LOCK TABLE events, deliveries, lanes IN ROW EXCLUSIVE MODE"))
            connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
            connection.rollback()

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """See ``hub.database.engine.Database.look``."""
        with self.engine.connect() as connection:
            yield connection


def _note_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _limit_idling(connection: Any, _: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")
    connection.commit()
