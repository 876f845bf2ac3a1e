"""Alembic migrations, shipped with the package and run by ``hub db upgrade``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where a schema is changed, which is rare: it needs 8 MB, and as long to load
# as SQLAlchemy.

FOLDER = Path(__file__).parent
#: Where Alembic notes the revision.
_TABLE = "alembic_version"


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database's schema to ``revision``; does nothing if it is there."""
    from alembic import command

    config = _config()
    with _migrating(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database's schema back to ``revision``."""
    from alembic import command

    config = _config()
    with _migrating(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction for a migration: it is made as a whole or not at all.

    SQLite's foreign keys rest meanwhile: they would empty the tables that point to one that is
    made anew.
    """
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        driver: Any = connection.connection.dbapi_connection
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys = OFF")  # within a transaction it does nothing
        try:
            with connection.begin():
                yield connection
        finally:
            if is_sqlite:
                driver.execute("PRAGMA foreign_keys = ON")


def newest() -> str:
    """The revision that the code needs: files are named by their revision, and follow each other
    in that order."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current(engine: Engine) -> str | None:
    """The revision that the database has."""
    # Reading only: this is asked while others write.
    with engine.execution_options(hub_reading=True).connect() as connection:
        if not inspect(connection).has_table(_TABLE):
            return None
        revision: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608
        return revision
