"""The database: SQLite or PostgreSQL, with the same promises from both."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Dialect,
    Integer,
    MetaData,
    Table,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import JSON, TypeDecorator

from hub import crashpoint
from hub.config import Config

Result = TypeVar("Result")

#: Seconds a SQLite writer waits for its turn.
BUSY_TIMEOUT = 15
#: Seconds between its looks whether the writer of another process is done.
_LOOK_AGAIN = 0.0005
#: Seconds for which PostgreSQL lets a transaction idle. That of a stopped process holds locks that
#: others wait for; ours compute for milliseconds.
IDLE_TIMEOUT = 15
#: How a PostgreSQL server that has vanished is noticed, instead of waited for.
_POSTGRESQL = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: Tries of a transaction that lost a race or its connection.
TRIES = 5

#: Row ids: 64 bits on PostgreSQL; SQLite's own integer key is that already.
BigId = BigInteger().with_variant(Integer, "sqlite")
#: Held by the thread of this process that writes to SQLite.
_writing = threading.Lock()
#: JSON that is stored, not searched.
Json = JSON()


class JsonText(str):
    """A JSON document that is text already: made before its transaction, not within."""

    __slots__ = ()


def to_json(value: Any) -> str:
    """How the engine writes JSON."""
    return value if isinstance(value, JsonText) else json.dumps(value)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, stored as microseconds since 1970: ordered, exact, the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(value: int) -> datetime:
    """The moment of ``to_microseconds``."""
    seconds, microseconds = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    #: What the models derive from.
    Model = db.Model


def init_app(app: Flask, config: Config) -> None:
    """Connect the application to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(config.database_url)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)


def engine_options(url: str) -> dict[str, Any]:
    """Options of ``create_engine`` for this URL."""
    if url.startswith("sqlite"):
        return {
            "connect_args": {"timeout": BUSY_TIMEOUT, "check_same_thread": False},
            "json_serializer": to_json,
            # The connection that was used last knows the most pages and statements.
            "pool_use_lifo": True,
            "pool_size": 10,
            "max_overflow": 40,
        }
    return {
        "connect_args": _POSTGRESQL,
        "json_serializer": to_json,
        "pool_pre_ping": True,
        "pool_recycle": 1_800,
        "pool_size": 10,
        "max_overflow": 40,
    }


def prepare_engine(engine: Engine) -> None:
    """Give every connection the hub's settings, and SQLite explicit transactions."""
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _limit_idling)
        return

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        # The driver's own transaction control would begin too late and would not lock for writing.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit has reached the disk when it returns, which is the promise of a 2xx.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -2000")
        # A checkpoint copies a page once, however often it was written since the last one.
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that may write takes the write lock at once: an upgrade from reading to
        # writing would fail with 'busy' without waiting.
        reading = connection.get_execution_options().get("hub_reading", False)
        driver = connection.connection.driver_connection
        assert driver is not None, "a transaction begins on an open connection"
        try:
            if reading:
                driver.execute("BEGIN")
            else:
                _begin_writing(driver)
        except sqlite3.OperationalError as error:
            raise OperationalError("BEGIN", None, error) from error


def _begin_writing(driver: sqlite3.Connection) -> None:
    """``BEGIN IMMEDIATE``, once the writer of another process is done.

    SQLite itself would sleep for up to a tenth of a second before it looks again, which is a
    hundred transactions.
    """
    give_up = time.monotonic() + BUSY_TIMEOUT
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
            time.sleep(_LOOK_AGAIN)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT * 1000}")


def _limit_idling(connection: Any, _: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT}s'")
    connection.commit()


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction that may write, committed at the end of the block."""
    engine = db.engine
    with (
        _turn(engine),
        engine.begin() as connection,
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session
        session.flush()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """SQLite has one writer at a time. Who waits for a thread of the same process is woken when
    it is done; SQLite itself would sleep, for longer and longer, and look again."""
    if engine.dialect.name != "sqlite":
        yield
        return
    if not _writing.acquire(timeout=BUSY_TIMEOUT):
        raise OperationalError("BEGIN", None, sqlite3.OperationalError("database is locked"))
    try:
        yield
    finally:
        _writing.release()


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


def table_of(model: type[Base]) -> Table:
    """The table of a model, for statements that are prepared."""
    return cast(Table, model.__table__)


def connection_of(session: Session) -> Connection:
    """The connection that ``transaction`` or ``reading`` gave to this session."""
    return cast(Connection, session.bind)


def dialect_of(session: Session) -> str:
    """The database's name: ``sqlite`` or ``postgresql``."""
    return connection_of(session).dialect.name


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ``on_conflict_do_nothing``, which both databases speak alike."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert(session: Session, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """``insert_into`` the table of a model."""
    return insert_into(dialect_of(session), table_of(model))
