"""An installation of an older version on both databases, migrated by this one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from hub import services
from hub.app import create_web_app
from hub.config import Config
from hub.database import db
from tests.support.postgres import HAS_POSTGRES, Postgres
from tests.upgrade.installation import (
    DATA,
    KEYS,
    Old,
    Servers,
    dump,
    load_postgresql,
    load_sqlite,
    run,
)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The CRMs, on ports that stay: the stored settings name them."""
    servers = Servers()
    with ExitStack() as stack:
        for server in servers.all.values():
            stack.enter_context(server)
        yield servers


@pytest.fixture(scope="session", params=["sqlite", "postgresql"] if HAS_POSTGRES else ["sqlite"])
def upgraded(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    servers: Servers,
    redis_socket: Path,
) -> Iterator[dict[str, str]]:
    """The environment of an installation that ``hub db upgrade`` has migrated, to be copied."""
    folder = tmp_path_factory.mktemp("old")
    for name in KEYS:
        shutil.copy(DATA / name, folder / name)
    environment = {"HUB_DATA_DIR": str(folder), "HUB_REDIS_URL": f"unix://{redis_socket}"}
    text = dump(request.param, servers)
    if request.param == "sqlite":
        load_sqlite(text, folder / "hub.db")
        run(environment, "db", "upgrade")
        yield environment
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    environment["HUB_DATABASE_URL"] = server.url(name)
    load_postgresql(text, server.url(name))
    run(environment, "db", "upgrade")
    yield environment
    server.drop(name)


@pytest.fixture
def old(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    servers: Servers,
    redis_socket: Path,
    upgraded: dict[str, str],
) -> Iterator[Old]:
    """An installation of its own for the test."""
    redis.Redis(unix_socket_path=str(redis_socket)).flushall()
    folder = tmp_path / "data"
    shutil.copytree(upgraded["HUB_DATA_DIR"], folder)
    environment = {**upgraded, "HUB_DATA_DIR": str(folder)}
    server = name = None
    if url := upgraded.get("HUB_DATABASE_URL"):
        server = request.getfixturevalue("postgres")
        template = url.partition("?")[0].rpartition("/")[2]
        name = server.create(template)
        environment["HUB_DATABASE_URL"] = server.url(name)
    app = create_web_app(Config.from_environment(environment))
    yield Old(app, environment, "postgresql" if server else "sqlite", servers)
    with app.app_context():
        db.engine.dispose()
    services.of(app).redis.close()
    if server:
        server.drop(name)
