"""Fixtures of the core's tests: a real Redis, real databases, and an application on them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from cryptography.fernet import Fernet
from flask import Flask

import migrations
from hub.app import create_app
from hub.config import Config
from hub.database import db
from hub.plugins import Registry
from hub.queue import embedded
from hub.queue.connection import connect

KEY = Fernet.generate_key().decode()
#: Passwords at the least that Argon2 allows, and what is sent is due at once, whatever the time of
#: its payload: most tests are about something else.
CHEAP = "password.time_cost=1 password.memory_cost=32 order.patience=0"


def make_config(data_dir: Path, **environment: str) -> Config:
    return Config.from_environment(
        {
            "HUB_DATA_DIR": str(data_dir),
            "HUB_ENCRYPTION_KEYS": KEY,
            "HUB_POLICY": CHEAP,
            **environment,
        }
    )


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[Path]:
    """A Redis server for the whole run; each test empties it."""
    # A short path: the name of a Unix socket may have 107 characters only.
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        config = make_config(Path(folder))
        process = subprocess.Popen(embedded.server_command(config))
        client = connect(config)
        give_up = time.monotonic() + 20
        while True:
            try:
                client.ping()
                break
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < give_up, "the embedded Redis does not start"
                time.sleep(0.02)
        yield config.redis_socket
        process.terminate()
        process.wait()


class Postgres:
    """A PostgreSQL server; ``pattern`` is the URL of a database with ``NAME`` for its name."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def url(self, name: str) -> str:
        return self.pattern.replace("NAME", name)

    def create(self, template: str = "template1") -> str:
        """Make a new database and return its name."""
        name = f"hub_test_{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


HAS_POSTGRES = bool(os.environ.get("HUB_TEST_POSTGRES_URL") or _postgres_programs())
if os.environ.get("HUB_TEST_REQUIRE_POSTGRES") and not HAS_POSTGRES:
    raise RuntimeError("HUB_TEST_REQUIRE_POSTGRES is set, and there is no PostgreSQL.")


class OwnPostgres(Postgres):
    """A server of our own, which can be stopped and started."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"postgresql://hub@/NAME?host={folder}")
        # The server refuses to run as root; Debian's package brings a user for it.
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres")
        programs = _postgres_programs()
        assert programs is not None
        data = f"{folder}/data"
        initdb = [*as_user, f"{programs}/initdb", "-D", data, "-U", "hub", "-A", "trust"]
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._control = (*as_user, f"{programs}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log")
        self._options = options
        _run_quietly([*initdb, "-E", "UTF8"])

    def start(self) -> None:
        """Return when it takes connections."""
        _run_quietly([*self._control, "-o", self._options, "start"])

    def stop(self) -> None:
        """At once, as by a crash: connections break, and it recovers when it is started."""
        _run_quietly([*self._control, "-m", "immediate", "stop"])


def _run_quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server: the one that HUB_TEST_POSTGRES_URL names, or one of our own."""
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield Postgres(f"{given.rstrip('/')}/NAME")
        return
    with own_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    _migrate(make_config(folder))
    return folder / "hub.db"


@pytest.fixture(scope="session")
def postgres_template(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a PostgreSQL database with the schema."""
    name = postgres.create()
    folder = tmp_path_factory.mktemp("template")
    _migrate(make_config(folder, HUB_DATABASE_URL=postgres.url(name)))
    yield name
    postgres.drop(name)


def _migrate(config: Config) -> None:
    app = create_app(config, Registry({}, ()))
    with app.app_context():
        migrations.upgrade(db.engine)
        db.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if HAS_POSTGRES else ["sqlite"])
def config(request: pytest.FixtureRequest, tmp_path: Path, redis_socket: Path) -> Iterator[Config]:
    """A configuration with a migrated database and an empty Redis."""
    redis.Redis(unix_socket_path=str(redis_socket)).flushall()
    redis_url = f"unix://{redis_socket}"
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "hub.db")
        yield make_config(tmp_path, HUB_REDIS_URL=redis_url)
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield make_config(tmp_path, HUB_REDIS_URL=redis_url, HUB_DATABASE_URL=server.url(name))
    server.drop(name)


MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(config: Config) -> Iterator[MakeApp]:
    """Makes applications on the test's database; ``make_app(plugin, ...)`` installs plugins."""
    apps: list[Flask] = []

    def make(*plugins: object) -> Flask:
        registry = Registry({plugin.id: plugin for plugin in plugins}, ())  # type: ignore[attr-defined]
        app = create_app(config, registry)
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()
        app.extensions["hub.redis"].close()
