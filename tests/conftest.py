"""Fixtures of the core's tests: a real Redis, real databases, and an application on them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from flask import Flask

import migrations
from hub.app import create_app
from hub.config import Config
from hub.database import db
from hub.outbound.guard import THIS_MACHINE
from hub.plugins import Registry
from hub.queue import embedded
from hub.queue.connection import connect
from tests.support.clock import StoppableClock
from tests.support.crm import Crm, World, make_plugin
from tests.support.postgres import HAS_POSTGRES, Postgres, any_postgres
from tests.support.web_apps import WebApps, close

KEY = Fernet.generate_key().decode()
MakeWorld = Callable[..., World]
#: Passwords at the least that Argon2 allows, and what is sent is due at once, whatever the time of
#: its payload: most tests are about something else.
CHEAP = "password.time_cost=1 password.memory_cost=32 order.patience=0"


def make_config(data_dir: Path, **environment: str) -> Config:
    return Config.from_environment(
        {
            "HUB_DATA_DIR": str(data_dir),
            "HUB_ENCRYPTION_KEYS": KEY,
            "HUB_SECRET_KEY": KEY,
            "HUB_POLICY": CHEAP,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
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
        give_up = time.monotonic() + 120
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with any_postgres() as server:
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


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """The name of a PostgreSQL database that tests use one after the other."""
    name = postgres.create(postgres_template)
    yield name
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"] if HAS_POSTGRES else ["sqlite"])
def config(request: pytest.FixtureRequest, data_dir: Path, redis_socket: Path) -> Config:
    """A configuration with a migrated database, empty, and an empty Redis."""
    redis.Redis(unix_socket_path=str(redis_socket)).flushall()
    redis_url = f"unix://{redis_socket}"
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), data_dir / "hub.db")
        return make_config(data_dir, HUB_REDIS_URL=redis_url)
    server: Postgres = request.getfixturevalue("postgres")
    name: str = request.getfixturevalue("postgres_database")
    server.empty(name)
    return make_config(data_dir, HUB_REDIS_URL=redis_url, HUB_DATABASE_URL=server.url(name))


@pytest.fixture
def data_dir(request: pytest.FixtureRequest) -> Path:
    """The hub's data dir: a new one for each test, but for those that share web applications."""
    if "web" in request.fixturenames:
        web_apps: WebApps = request.getfixturevalue("web_apps")
        web_apps.empty()
        return web_apps.data_dir
    folder: Path = request.getfixturevalue("tmp_path")
    return folder


@pytest.fixture
def crm() -> Crm:
    """The small CRM, with nothing in it."""
    return Crm()


MakeApp = Callable[..., Flask]


@pytest.fixture
def make_app(config: Config) -> Iterator[MakeApp]:
    """Makes applications on the test's database; ``make_app(plugin, ...)`` installs plugins. Each
    has a clock of its own that can be stopped."""
    apps: list[Flask] = []

    def make(*plugins: object) -> Flask:
        registry = Registry({plugin.id: plugin for plugin in plugins}, ())  # type: ignore[attr-defined]
        app = create_app(config, registry, StoppableClock())
        apps.append(app)
        return app

    yield make
    for app in apps:
        close(app)


@pytest.fixture(scope="session")
def web_apps(tmp_path_factory: pytest.TempPathFactory) -> WebApps:
    """The applications behind ``web``."""
    return WebApps(tmp_path_factory.mktemp("web"))


@pytest.fixture
def web(config: Config, crm: Crm, web_apps: WebApps) -> Iterator[Flask]:
    """The web application with the small CRM's plugin."""
    app = web_apps.of(config, make_plugin(crm))
    yield app
    close(app)


@pytest.fixture
def make_world(make_app: Callable[..., Flask], crm: Crm) -> Iterator[MakeWorld]:
    with ExitStack() as stack:

        def make(**options: Any) -> World:
            app = make_app(make_plugin(crm, **options))
            stack.enter_context(app.app_context())
            return World(app)

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()
