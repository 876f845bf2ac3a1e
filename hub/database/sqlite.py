"""SQLite: the settings of its connections, and how a process reads and writes.

SQLite has one writer at a time. So a process keeps one connection for writing, and its threads take
turns. Taking a connection from a pool for each transaction would cost more than the transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from hub.database.group_commit import WorkGroup

#: Seconds for which a writer waits for its turn.
BUSY_TIMEOUT = 15
#: Seconds between two checks whether the writer of another process has finished.
_LOOK_AGAIN = 0.0005
#: How many unused connections for ``look`` are kept.
_KEPT_LOOKS = 4
#: Kibibytes of pages that a connection caches; one for ``look`` needs few.
_CACHE, _CACHE_OF_LOOK = 2_000, 500

OPTIONS: dict[str, Any] = {
    "connect_args": {"timeout": BUSY_TIMEOUT, "check_same_thread": False},
    # The connection that was used last has the most pages and statements in its cache.
    "pool_use_lifo": True,
}


class Sqlite:
    """A SQLite database as one process uses it. Implements ``hub.database.engine.Database``."""

    has_one_writer = True

    def __init__(self, engine: Engine, group: WorkGroup) -> None:
        self.engine = engine
        self.group = group
        self._writer = _Writer(engine)
        self._looks: deque[Connection] = deque()
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        event.listen(engine, "engine_disposed", lambda _: self._close())

    def transaction(self) -> _Writer:
        """See ``hub.database.engine.transaction``."""
        return self._writer

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """See ``hub.database.engine.Database.look``."""
        try:
            connection = self._looks.pop()
        except IndexError:
            connection = self.engine.connect()
            connection.detach()
            _limit_cache(connection.connection.dbapi_connection, _CACHE_OF_LOOK)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if len(self._looks) < _KEPT_LOOKS:
            self._looks.append(connection)
        else:
            connection.close()

    def try_to_write(self, patience: float) -> None:
        """See ``hub.database.engine.Database.try_to_write``.

        Only a commit meets the disk. The number that it writes is nobody's but an application's
        own, and the hub has no other use for it.
        """
        path = str(self.engine.url.database)
        try:
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as driver:
                driver.execute("PRAGMA synchronous = FULL")
                _begin_writing(driver, patience)
                (number,) = driver.execute("PRAGMA user_version").fetchone()
                driver.execute(f"PRAGMA user_version = {(number + 1) % 1_000_000}")
                driver.execute("COMMIT")
        except sqlite3.Error as error:
            raise _translated("COMMIT", error) from error

    def _close(self) -> None:
        """Close the connections that this object keeps; the engine closes the others."""
        self._writer.close()
        while self._looks:
            self._looks.pop().close()


class _Writer:
    """One transaction at a time, on a connection and a session that are kept.

    The transaction begins on the driver's connection. SQLAlchemy learns of it only if the work uses
    SQLAlchemy: ``_begin`` then finds that it has already begun.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._session: Session | None = None
        self._connection: Connection
        self._driver: sqlite3.Connection

    def __enter__(self) -> Session:
        # Between threads of one process: a lock wakes the next one at once. SQLite itself would
        # sleep, longer each time, and check again.
        if not self._turn.acquire(timeout=BUSY_TIMEOUT):
            raise OperationalError("BEGIN", None, sqlite3.OperationalError("database is locked"))
        try:
            session = self._session or self._open()
            _begin_writing(self._driver)
            return session
        except sqlite3.Error as error:
            self._forget()
            self._turn.release()
            raise _translated("BEGIN", error) from error
        except BaseException:
            self._turn.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._commit()
            else:
                self._roll_back()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection. The next transaction opens a new one."""
        with self._turn:
            self._forget()

    def _open(self) -> Session:
        self._connection = self._engine.connect()
        self._connection.detach()
        driver = self._connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection), "the engine's driver is Python's own"
        # ``_begin_writing`` does the waiting.
        driver.execute("PRAGMA busy_timeout = 0")
        self._driver = driver
        self._session = Session(self._connection, expire_on_commit=False)
        return self._session

    def _commit(self) -> None:
        session = self._session
        assert session is not None, "the transaction has begun"
        try:
            if not session.in_transaction() and not self._connection.in_transaction():
                self._driver.execute("COMMIT")  # only the driver was used
                return
            session.flush()
            session.commit()
            self._connection.commit()
            self._driver.commit()
            session.expunge_all()
        except sqlite3.Error as error:
            self._forget()
            raise _translated("COMMIT", error) from error
        except BaseException:
            self._forget()
            raise

    def _roll_back(self) -> None:
        session = self._session
        assert session is not None, "the transaction has begun"
        try:
            session.close()
            self._connection.rollback()
            self._driver.rollback()
        except Exception:  # the caller gets the error of the work, not this one
            # The state of the connection is unknown, so it is not used again.
            self._forget()

    def _forget(self) -> None:
        if self._session is not None:
            self._session = None
            self._driver.close()


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    """Give a new connection the hub's settings."""
    # The driver would begin transactions too late, and without the write lock. We begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: when a commit returns, it has reached the disk. A 2xx answer promises that.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    _limit_cache(connection, _CACHE)
    # A checkpoint copies each changed page once, however often it was written. So have few of them.
    cursor.execute("PRAGMA wal_autocheckpoint = 4000")
    cursor.close()


def _limit_cache(connection: Any, kibibytes: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{kibibytes}")


def _begin(connection: Connection) -> None:
    """Begin a transaction for SQLAlchemy, unless the writer has already begun it.

    A transaction that may write takes the write lock at once. If it took the lock later, SQLite
    could fail with 'busy' without waiting.
    """
    driver: Any = connection.connection.dbapi_connection
    if driver.in_transaction:
        return
    reading = connection.get_execution_options().get("hub_reading", False)
    try:
        driver.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        raise _translated("BEGIN", error) from error


def _begin_writing(driver: sqlite3.Connection, patience: float = BUSY_TIMEOUT) -> None:
    """``BEGIN IMMEDIATE``, as soon as the writer of another process has finished.

    SQLite itself would sleep for up to a tenth of a second between two checks. That is the time of
    a hundred transactions.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        time.sleep(_LOOK_AGAIN)


def _translated(statement: str, error: sqlite3.Error) -> DBAPIError:
    """The error in the form in which SQLAlchemy would raise it."""
    kind = OperationalError if isinstance(error, sqlite3.OperationalError) else DBAPIError
    return kind(statement, None, error)
