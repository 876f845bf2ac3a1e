"""Reading and writing, the same way on SQLite and PostgreSQL."""

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

#: How often a transaction is tried that loses a race or its connection.
TRIES = 5


class Database(Protocol):
    """How a process uses one kind of database."""

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""

    @property
    def has_one_writer(self) -> bool:
        """Whether only one transaction at a time may write. Then no row needs a lock."""

    @property
    def group(self) -> WorkGroup | None:
        """The group in which threads commit together; ``None`` if that is not cheaper here."""

    def transaction(self) -> AbstractContextManager[Session]:
        """See ``transaction``."""

    def look(self) -> AbstractContextManager[Connection]:
        """A connection for one SELECT outside a transaction."""

    def try_to_write(self, patience: float) -> None:
        """Do what storing an event needs, and leave nothing; wait for others no longer than so.

        :raises DBAPIError: it cannot be done.
        """


#: The database of the running application; ``hub.services`` sets it.
CURRENT: ContextVar[Database | None] = ContextVar("database", default=None)


class _Current:
    """The schema and the engine of the running application's database."""

    metadata = Base.metadata

    @property
    def engine(self) -> Engine:
        """The engine of that database."""
        return database().engine


db = _Current()


def database() -> Database:
    """The running application's database."""
    current = CURRENT.get()
    assert current is not None, "no application is entered"
    return current


def transaction() -> AbstractContextManager[Session]:
    """A transaction that may write. It is committed at the end of the block."""
    return database().transaction()


@contextmanager
def reading() -> Iterator[Session]:
    """A consistent view, only for reading. It never waits for writers."""
    with db.engine.connect() as connection:
        connection.execution_options(hub_reading=True)
        with Session(connection, expire_on_commit=False) as session:
            yield session


def in_transaction(work: Callable[[Session], Result]) -> Result:
    """Run ``work`` in a transaction of its own. Try again if that lost a race or its connection.

    ``work`` must be repeatable: it gets a new session each time, and may change nothing outside of
    it. It is also repeated if the answer to a commit was lost. Where that matters, ``work`` must
    recognise what it has already written (unique keys, epochs).
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
    """Run ``work`` with a consistent view, and once more if its connection turns out to be broken.

    There is no waiting between the two: while the database is away, callers must learn it at once.
    """
    try:
        with reading() as session:
            return work(session)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    with reading() as session:
        return work(session)


#: Of PostgreSQL: serialization failure, deadlock, and a server that is starting or stopping.
_PASSING_STATES = ("40001", "40P01", "57P01", "57P02", "57P03")


def may_pass(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed if it is tried again."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _PASSING_STATES or state.startswith("08")
    return isinstance(error, OperationalError) and (
        "database is locked" in str(error.orig) or "connection" in str(error.orig)
    )


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database itself is in trouble, and not the statement that failed."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return not isinstance(error, DataError | IntegrityError | StatementError) or isinstance(
        error, OperationalError | InternalError
    )


def table_of(model: type[Base]) -> Table:
    """The table of a model, for prepared statements."""
    return cast(Table, model.__table__)


def connection_of(session: Session) -> Connection:
    """The connection that ``transaction`` or ``reading`` gave to this session."""
    return cast(Connection, session.bind)


def dialect_of(session: Session) -> str:
    """The database's name: ``sqlite`` or ``postgresql``."""
    return connection_of(session).dialect.name


def insert_into(dialect: str, table: Table) -> sqlite_dialect.Insert | postgresql_dialect.Insert:
    """An INSERT with ``on_conflict_do_nothing``, which has the same form on both databases."""
    # Imported when needed: the dialect of PostgreSQL takes 2 MB of memory.
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
