"""Snapshots of a hub's database, so that a test can begin many times at the same point."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy.engine import make_url

from hub import services
from hub.database import db


class Snapshot:
    """The database as it is now. No process but ours may be connected when it is made."""

    def __init__(self, app: Flask, name: str) -> None:
        self._app = app
        self._url = make_url(services.of(app).config.database_url)
        self._name = name
        self._close()
        if self._url.drivername == "sqlite":
            # Everything into the one file that is copied.
            with self._app.app_context(), db.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            self._close()
            shutil.copyfile(self._file, self._copy)
        else:
            self._execute(
                f"DROP DATABASE IF EXISTS {self._copy_name}",
                f"CREATE DATABASE {self._copy_name} TEMPLATE {self._url.database}",
            )

    def restore(self) -> None:
        """Make the database what it was. Processes that use it must have ended."""
        self._close()
        if self._url.drivername == "sqlite":
            for ending in ("-wal", "-shm"):
                self._file.with_name(self._file.name + ending).unlink(missing_ok=True)
            shutil.copyfile(self._copy, self._file)
            return
        self._execute(
            f"DROP DATABASE {self._url.database} WITH (FORCE)",
            f"CREATE DATABASE {self._url.database} TEMPLATE {self._copy_name}",
        )

    def _close(self) -> None:
        with self._app.app_context():
            db.engine.dispose()

    @property
    def _file(self) -> Path:
        return Path(self._url.database or "")

    @property
    def _copy(self) -> Path:
        return self._file.with_name(f"{self._file.name}.{self._name}")

    @property
    def _copy_name(self) -> str:
        return f"{self._url.database}_{self._name}"

    def _execute(self, *statements: str) -> None:
        url = self._url.set(drivername="postgresql", database="postgres")
        with psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement)
