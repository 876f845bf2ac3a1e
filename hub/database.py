"""The database: SQLite or PostgreSQL, with the same promises from both."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Dialect, Integer, MetaData, event
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
#: Tries of a transaction that lost a race or its connection.
TRIES = 5

#: Row ids: 64 bits on PostgreSQL; SQLite's own integer key is that already.
BigId = BigInteger().with_variant(Integer, "sqlite")
#: JSON that is stored, not searched.
Json = JSON()


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
        return {"connect_args": {"timeout": BUSY_TIMEOUT, "check_same_thread": False}}
    return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 40, "pool_recycle": 1_800}


def prepare_engine(engine: Engine) -> None:
    """Give every SQLite connection the hub's pragmas and explicit transactions."""
    if engine.dialect.name != "sqlite":
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
        cursor.execute("PRAGMA cache_size = -16000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that may write takes the write lock at once: an upgrade from reading to
        # writing would fail with 'busy' without waiting.
        reading = connection.get_execution_options().get("hub_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction that may write, committed at the end of the block."""
    with Session(db.engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """One consistent view for reading only; never waits for writers."""
    engine = db.engine.execution_options(hub_reading=True)
    with Session(engine, expire_on_commit=False) as session:
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


def insert(session: Session, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ``on_conflict_do_nothing``, which both databases speak alike."""
    dialect = session.get_bind().dialect.name
    build = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return build(model)
