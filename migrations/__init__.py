"""Alembic migrations, shipped with the package and run by ``hub db upgrade``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: workers never migrate, and it needs 8 MB.

FOLDER = Path(__file__).parent


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


def newest() -> str | None:
    """The revision that the code needs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def current(engine: Engine) -> str | None:
    """The revision that the database has."""
    from alembic.runtime.migration import MigrationContext

    # Reading only: this is asked while others write.
    with engine.execution_options(hub_reading=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
