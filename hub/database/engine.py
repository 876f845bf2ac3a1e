"""The database: SQLite or PostgreSQL, with the same promises from both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from sqlalchemy import Table
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
from hub.database.types import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql as postgresql_dialect
    from sqlalchemy.dialects import sqlite as sqlite_dialect

    from hub.database.group_commit import WorkGroup

Result = TypeVar("Result")

#: Tries of a transaction that lost a race or its connection.
TRIES = 5


class Database(Protocol):
    """How a process uses one kind of database."""

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""

    @property
    def has_one_writer(self) -> bool:
        """Whether one transaction at a time may write, so that no row needs a lock."""

    @property
    def group(self) -> WorkGroup | None:
        """Where threads gather to commit together, if that is cheaper here."""

    def transaction(self) -> AbstractContextManager[Session]:
        """See ``transaction``."""

    def look(self) -> AbstractContextManager[Connection]:
        """A connection for one SELECT, which needs no transaction around it."""


#: The database of the running application; ``hub.services`` sets it.
CURRENT: ContextVar[Database | None] = ContextVar("database", default=None)


class _Current:
    """What belongs to the database of the running application."""

    #: All tables.
    metadata = Base.metadata

    @property
    def engine(self) -> Engine:
        """Its engine."""
        return database().engine


db = _Current()


def database() -> Database:
    """The running application's database."""
    current = CURRENT.get()
    assert current is not None, "no application is entered"
    return current


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
