"""The database: SQLite or PostgreSQL, with the same promises from both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from sqlalchemy import Table, create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.orm import Session

from hub import crashpoint
from hub.config import Config
from hub.database import postgresql, sqlite
from hub.database.types import Base, to_json
from hub.running import part

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.dialects import postgresql as postgresql_dialect
    from sqlalchemy.dialects import sqlite as sqlite_dialect

Result = TypeVar("Result")

#: Tries of a transaction that lost a race or its connection.
TRIES = 5


class Database(Protocol):
    """How a process uses one kind of database."""

    def transaction(self) -> AbstractContextManager[Session]:
        """See ``transaction``."""

    def look(self) -> AbstractContextManager[Connection]:
        """A connection for one SELECT, which needs no transaction around it."""


def init_app(app: Flask, config: Config) -> None:
    """Connect the application to its database, with the engine that Flask-SQLAlchemy keeps."""
    # Imported here: what only looks (``connect``) loads no Flask.
    from flask_sqlalchemy import SQLAlchemy

    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _options(config)
    extension = SQLAlchemy(metadata=Base.metadata)
    extension.init_app(app)
    with app.app_context():
        app.extensions.update(_parts(config, extension.engine))


def connect(config: Config) -> dict[str, Any]:
    """The engine and the database for a command that needs no Flask application."""
    return _parts(config, create_engine(config.database_url, **_options(config)))


def _options(config: Config) -> dict[str, Any]:
    kind = sqlite if _is_sqlite(config) else postgresql
    return {
        "json_serializer": to_json,
        "pool_size": 10,
        "max_overflow": 40,
        # Errors are logged, and would tell customers' data and digests of secrets.
        "hide_parameters": True,
        **kind.OPTIONS,
    }


def _parts(config: Config, engine: Engine) -> dict[str, Any]:
    database = sqlite.Sqlite(engine) if _is_sqlite(config) else postgresql.Postgresql(engine)
    return {"hub.engine": engine, "hub.database": database}


def _is_sqlite(config: Config) -> bool:
    return config.database_url.startswith("sqlite")


class _Current:
    """What belongs to the database of the running application."""

    #: All tables.
    metadata = Base.metadata

    @property
    def engine(self) -> Engine:
        """Its engine."""
        engine: Engine = part("hub.engine")
        return engine


db = _Current()


def database() -> Database:
    """The running application's database."""
    chosen: Database = part("hub.database")
    return chosen


def transaction() -> AbstractContextManager[Session]:
    """One transaction that may write, committed at the end of the block."""
    return database().transaction()


@contextmanager
def reading() -> Iterator[Session]:
    """One consistent view for reading only; never waits for writers."""
    with db.engine.connect() as connection:
        connection.execution_options(hub_reading=True)
        with Session(connection, expire_on_commit=False) as session:
            yield session


def in_transaction(work: Callable[[Session], Result]) -> Result:
    """Run ``work`` in a transaction of its own, again if it lost a race or its connection.

    ``work`` must be repeatable: it sees a new session each time and has no effect but in it. A
    commit whose answer was lost is repeated too, so ``work`` must recognise its own traces where
    that matters (unique keys, epochs).
    """
    for left in range(TRIES - 1, -1, -1):
        try:
            with transaction() as session:
                result = work(session)
                crashpoint.boundary("before a commit")
            crashpoint.boundary("after a commit")
            return result
        except DBAPIError as error:
            if not left or not may_pass(error):
                raise
            time.sleep(0.05 * (TRIES - left))
    raise AssertionError("unreachable")


def in_reading(work: Callable[[Session], Result]) -> Result:
    """Run ``work`` with one consistent view, once more if its connection turns out to be broken.

    It waits for nothing: who is asked while the database is away shall say so at once.
    """
    try:
        with reading() as session:
            return work(session)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with reading() as session:
        return work(session)


#: PostgreSQL: serialization failure, deadlock, and a server that is starting or stopping.
_PASSING_STATES = ("40001", "40P01", "57P01", "57P02", "57P03")


def may_pass(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when tried again."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PASSING_STATES or state.startswith("08")
    return isinstance(error, OperationalError) and (
        "database is locked" in str(error.orig) or "connection" in str(error.orig)
    )


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the state of the database is to blame, not what was asked of it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return not isinstance(error, DataError | IntegrityError | StatementError) or isinstance(
        error, OperationalError | InternalError
    )


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that are prepared."""
    return cast(Table, model.__table__)


def connection_of(session: Session) -> Connection:
    """The connection that ``transaction`` or ``reading`` gave to this session."""
    return cast(Connection, session.bind)


def dialect_of(session: Session) -> str:
    """The database's name: ``sqlite`` or ``postgresql``."""
    return connection_of(session).dialect.name


def insert_into(dialect: str, table: Table) -> sqlite_dialect.Insert | postgresql_dialect.Insert:
    """An INSERT that knows ``on_conflict_do_nothing``, which both databases speak alike."""
    # Imported as needed: the dialect of PostgreSQL takes 2 MB of a process.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql as postgresql_dialect

        return postgresql_dialect.insert(table)
    from sqlalchemy.dialects import sqlite as sqlite_dialect

    return sqlite_dialect.insert(table)


def insert(
    session: Session, model: type[Base]
) -> sqlite_dialect.Insert | postgresql_dialect.Insert:
    """``insert_into`` the table of a model."""
    return insert_into(dialect_of(session), table_of(model))
