"""PostgreSQL for tests: the server that HUB_TEST_POSTGRES_URL names, or one of our own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from hub.database import db

#: Seconds that our own server may take to start.
START = 300.0


def programs() -> Path | None:
    """The folder of the server's programs, if it is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


HAS_POSTGRES = bool(os.environ.get("HUB_TEST_POSTGRES_URL") or programs())
if os.environ.get("HUB_TEST_REQUIRE_POSTGRES") and not HAS_POSTGRES:
    raise RuntimeError("HUB_TEST_REQUIRE_POSTGRES is set, and there is no PostgreSQL.")


class Postgres:
    """A PostgreSQL server; ``pattern`` is the URL of a database with ``NAME`` for its name."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def url(self, name: str) -> str:
        return self.pattern.replace("NAME", name)

    def create(self, template: str = "template1") -> str:
        """Make a new database and return its name."""
        name = f"hub_test_{uuid.uuid4().hex[:12]}"
        self._execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def empty(self, name: str) -> None:
        """Delete every row of the hub's, as if the database were new: a tenth of the work of
        making one. Whoever is still connected loses the connection.
        """
        tables = reversed(db.metadata.sorted_tables)
        self._execute(
            name,
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "; ".join(f'DELETE FROM "{table.name}"' for table in tables),
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
            " FROM pg_sequences WHERE last_value IS NOT NULL",
        )

    def drop(self, name: str) -> None:
        self._execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, database: str, *statements: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


class OwnPostgres(Postgres):
    """A server of our own, which can be stopped and started. It is our child, so that its CPU
    counts as ours.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(f"postgresql://hub@/NAME?host={folder}")
        # The server refuses to run as root; Debian's package brings a user for it.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres")
        found = programs()
        assert found is not None, "PostgreSQL is not installed"
        self._log = Path(folder, "log")
        data = f"{folder}/data"
        self._command = [f"{found}/postgres", "-D", data, "-k", folder]
        # Nothing that is only for a crash of the machine, and no housekeeping behind the tests.
        for option in ("fsync=off", "full_page_writes=off", "autovacuum=off", "jit=off"):
            self._command += ["-c", option]
        self._command += ["-c", "listen_addresses=", "-c", "max_connections=200"]
        initdb = [f"{found}/initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/", **self._user
        )

    def start(self) -> None:
        """Return when it takes connections."""
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the tests, which stop it then
                **self._user,
            )
        give_up = time.monotonic() + START
        while True:
            try:
                self._execute("postgres", "SELECT 1")
                return
            except psycopg.OperationalError:
                assert self._server.poll() is None, self._log.read_text()
                assert time.monotonic() < give_up, self._log.read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        """At once, as by a crash: connections break, and it recovers when it is started."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server of our own, started."""
    with tempfile.TemporaryDirectory(prefix="hubpg-") as folder:
        server = OwnPostgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def any_postgres() -> Iterator[Postgres]:
    """The server that HUB_TEST_POSTGRES_URL names, or one of our own."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield Postgres(f"{given.rstrip('/')}/NAME")
        return
    with own_postgres() as server:
        yield server
