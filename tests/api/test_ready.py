"""``/readyz`` fails when a webhook would be refused, and costs the database little."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

import migrations
from hub import services
from hub.accounts import accounts, sources
from hub.api import health
from hub.app import create_web_app
from hub.config import Config
from hub.database import db
from hub.plugins import Registry
from hub.sdk.testing import payloads
from tests.conftest import make_config
from tests.support.web_apps import close

PATIENCE = 120.0


def wait_until_ready(client) -> None:
    """What was found out a moment ago is believed for a moment."""
    give_up = time.monotonic() + PATIENCE
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < give_up, client.get("/readyz").json
        time.sleep(0.1)


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """Somebody writes, and does not end."""
    if config.database_url.startswith("sqlite"):
        with closing(sqlite3.connect(config.data_dir / "hub.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    url = config.database_url.replace("+psycopg", "")
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.fixture
def client(web, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.3)
    monkeypatch.setattr(health, "BELIEVED", -1.0)
    return web.test_client()


def test_a_hub_that_accepts_is_ready(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["parts"]["database"]) == (200, "ok")


def test_a_locked_database_is_not_ready(client, config):
    with locked(config):
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json["parts"]["database"].startswith("cannot be written")
    wait_until_ready(client)


def test_asking_often_writes_seldom(client, config, monkeypatch):
    database = services.of(client.application).database
    tries = []
    real = database.try_to_write
    monkeypatch.setattr(database, "try_to_write", lambda patience: tries.append(real(patience)))
    client.get("/readyz")
    monkeypatch.setattr(health, "BELIEVED", 600.0)
    assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    assert len(tries) == 1


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator:
    app = create_web_app(make_config(tmp_path), Registry({}, ()))
    with app.app_context():
        migrations.upgrade(db.engine)
        yield app
    close(app)


@contextmanager
def full_disk(database: Path) -> Iterator[None]:
    """No file may become longer than the database's log is now."""
    log = database.with_name(f"{database.name}-wal")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_not_ready_and_refuses(on_sqlite, tmp_path):
    client = on_sqlite.test_client()
    source = sources.create(accounts.create("Acme", "DE"), "chatwoot", allow_unsigned=True)
    assert client.get("/readyz").status_code == 200
    event = payloads.raw("contact_created_full")
    path = sources.webhook_url(source).split("/webhooks")[1]
    with full_disk(tmp_path / "hub.db"):
        time.sleep(health.BELIEVED)
        answer = client.get("/readyz")
        refused = client.post(f"/webhooks{path}", data=event, content_type="application/json")
    assert answer.status_code == 503
    assert refused.status_code == 503
    wait_until_ready(client)


def test_little_space_is_not_ready(on_sqlite, monkeypatch):
    monkeypatch.setattr(health, "LEAST_SPACE", 1 << 62)
    answer = on_sqlite.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "space" in answer.json["parts"]["database"]
