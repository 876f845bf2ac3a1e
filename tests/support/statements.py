"""Looking at every statement just before the database gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import Connection

from hub.database import db, prepared


@contextmanager
def before_each(look: Callable[[Connection, str], None]) -> Iterator[None]:
    """Call ``look`` with the connection and the text of each statement, whoever executes it."""

    def by_sqlalchemy(connection, cursor, statement, *_) -> None:
        look(connection, statement)

    execute = prepared._Prepared.execute

    def by_us(this, connection, values, **options) -> prepared.Rows:
        look(connection, str(this._statement.compile(dialect=connection.dialect)))
        return execute(this, connection, values, **options)

    event.listen(db.engine, "before_cursor_execute", by_sqlalchemy)
    try:
        with patch.object(prepared._Prepared, "execute", by_us):
            yield
    finally:
        event.remove(db.engine, "before_cursor_execute", by_sqlalchemy)
