"""PostgreSQL: the settings of its connections, and how a process reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

#: Seconds for which a transaction may idle. That of a stopped process holds locks that others wait
#: for; ours compute for milliseconds.
IDLE_TIMEOUT = 15

OPTIONS: dict[str, Any] = {
    # How a server that has vanished is noticed, instead of waited for.
    "connect_args": {
        "connect_timeout": 5,
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    },
    "pool_pre_ping": True,
    "pool_recycle": 1_800,
}


class Postgresql:
    """A PostgreSQL database. Implements ``hub.database.Database``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        event.listen(engine, "connect", _limit_idling)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """See ``hub.database.transaction``."""
        with (
            self._engine.begin() as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session
            session.flush()

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """See ``hub.database.Database.look``."""
        with self._engine.connect() as connection:
            yield connection


def _limit_idling(connection: Any, _: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")
    connection.commit()
