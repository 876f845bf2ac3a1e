"""An id is never given out twice: what outlives a row names it by its id."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.orm import Session

import migrations
from hub import services
from hub.accounts import accounts, sources
from hub.app import create_app, create_web_app
from hub.audit import (
    Actor,
    acting,
)
from hub.database import db, in_transaction
from hub.models import Link, Role
from hub.plugins import Registry
from tests.conftest import make_config
from tests.support.crm import Crm, World, make_plugin
from tests.support.people import Person, administrator, member
from tests.support.things import things_of

#: Rows of the version before: a link, a lane and the audit log name what is gone.
NAMED = (
    "INSERT INTO accounts VALUES (3, 'Acme', NULL, '[]', 1)",
    "INSERT INTO hooks (id, account_id, plugin_id, name, hook_type, settings, secrets, enabled,"
    " status, status_detail, learned, version, created_at, updated_at)"
    " VALUES (4, 3, 'crm', 'CRM', 'account', '{}', '', 1, 'active', '', '{}', 1, 1, 1)",
    "INSERT INTO links (id, hook_id, kind, local_id, state, remote_id, data, adopted, natural_key,"
    " begun_at, updated_at) VALUES (1, 4, 'ticket', '11/7', 'linked', '99', '{}', 0, '', 1, 1)",
    "INSERT INTO lanes (id, hook_id, key, epoch) VALUES (1, 4, '12/contact:1', 0)",
    "INSERT INTO audit_entries (id, at, actor, address, account_id, action, subject_id, before,"
    " after) VALUES (1, 1, 'Root', '', 8, 'hook.deleted', 21, '{}', '{}')",
)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Flask]:
    """A SQLite database as it was before, with a few rows."""
    app = create_app(make_config(tmp_path), Registry({}, ()))
    with app.app_context():
        migrations.upgrade(db.engine, "0004")
        with db.engine.begin() as connection:
            for statement in NAMED:
                connection.execute(text(statement))
        yield app
        db.engine.dispose()


def schema() -> dict[str, str]:
    with db.engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_schema WHERE sql NOTNULL"))
        return {name: " ".join(sql.replace('"', "").split()) for name, sql in rows}


def rows() -> dict[str, list[tuple[object, ...]]]:
    with db.engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
            for name in sorted(inspect(db.engine).get_table_names())
            if name != "alembic_version"
        }


def ids() -> dict[str, set[int]]:
    """Every id that stands in the database, by table."""
    with db.engine.connect() as connection:
        return {
            name: set(connection.execute(text(f"SELECT id FROM {name}")).scalars())
            for name, table in db.metadata.tables.items()
            if "id" in table.c
        }


def refuse_changes_of_the_schema(engine: Engine) -> None:
    """Let SQLite behave as Apple's: ``PRAGMA writable_schema`` has no effect."""

    def judge(action: int, name: str | None, *_: str | None) -> int:
        refused = action == sqlite3.SQLITE_PRAGMA and name == "writable_schema"
        return sqlite3.SQLITE_IGNORE if refused else sqlite3.SQLITE_OK

    event.listen(engine, "connect", lambda driver, _: driver.set_authorizer(judge))


def test_every_table_with_an_id_keeps_ids_from_returning(make_app):
    with make_app().app_context():
        if db.engine.dialect.name == "sqlite":
            made = schema()
            names = [name for name, table in db.metadata.tables.items() if "id" in table.c]
            assert [name for name in names if "AUTOINCREMENT" not in made[name]] == []


def test_no_kind_of_row_gets_the_id_of_a_deleted_one(config):
    plugin = make_plugin(Crm())
    app = create_web_app(config, Registry({plugin.id: plugin}, ()))
    seen: dict[str, set[int]] = {}
    for _ in range(2):
        administrator(app)
        with app.app_context():
            world = World(app)
        member(app, world.account.id, Role.OWNER, "ann@example.com")
        Person(app).sign_in("ann@example.com", "wrong")
        with app.app_context():
            things_of(world, "ann@example.com")
            with acting(Actor("Root")):
                accounts.update(world.account.id, name="Renamed")
            in_transaction(lambda session, w=world: session.add(a_link(w.hook.id)))
            made = ids()
            assert [name for name, found in made.items() if not found] == []
            again = {name: found & seen.get(name, set()) for name, found in made.items()}
            assert [name for name, found in again.items() if found] == []
            seen = made
            in_transaction(wipe)
    with app.app_context():
        db.engine.dispose()
    services.of(app).redis.close()


def test_a_new_source_has_nothing_of_a_deleted_one(make_app):
    """Its links outlive it; a new customer's message must not find them."""
    with make_app(make_plugin(Crm())).app_context() as context:
        world = World(context.app)
        sources.remove(world.source.id)
        assert sources.create(world.account, "events").id > world.source.id


def test_an_upgrade_goes_on_above_the_largest_id_that_anything_names(old):
    migrations.upgrade(db.engine)
    account = accounts.create("Next")
    assert account.id == 9
    assert sources.create(account, "events").id == 13
    with db.engine.connect() as connection:
        largest = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'hooks'"))
        assert largest.scalar() == 21


@pytest.mark.parametrize("refused", [False, True], ids=["in place", "copied"])
def test_an_upgrade_changes_no_row_and_nothing_else_of_the_schema(old, refused):
    before, stood = rows(), schema()
    pages = root_pages()
    if refused:
        db.engine.dispose()
        refuse_changes_of_the_schema(db.engine)
    migrations.upgrade(db.engine, "0005")
    assert (root_pages() == pages) is not refused, "copied only where it must be"
    assert {name: found for name, found in rows().items() if name in before} == before
    assert schema() == {
        **{
            name: sql.replace("PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)")
            for name, sql in stood.items()
        },
        "sqlite_sequence": "CREATE TABLE sqlite_sequence(name,seq)",
    }
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def root_pages() -> dict[str, int]:
    """Where each table lies in the file: a copy lies elsewhere."""
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT name, rootpage FROM sqlite_schema WHERE rootpage"))
        return {name: page for name, page in found if name != "sqlite_sequence"}


@pytest.mark.parametrize("refused", [False, True], ids=["in place", "copied"])
def test_an_upgrade_that_is_killed_leaves_the_old_database_whole(old, refused):
    before, stood = rows(), schema()
    db.engine.dispose()
    environment = {**os.environ, "HUB_DATABASE_URL": str(db.engine.url), "REFUSED": str(refused)}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (rows(), schema()) == (before, stood)
    assert migrations.current(db.engine) == "0004"
    migrations.upgrade(db.engine)


#: Upgrades, and is killed when all is done but the commit.
KILLED = """
import os, signal, sys
sys.path.insert(0, ".")
from sqlalchemy import event
from hub.app import create_app, create_web_app
from hub.config import Config
from hub.database import db
from hub.plugins import Registry
import migrations
from tests.database.test_ids import refuse_changes_of_the_schema
app = create_app(Config.from_environment(os.environ), Registry({}, ()))
with app.app_context():
    if os.environ["REFUSED"] == "True":
        refuse_changes_of_the_schema(db.engine)
    event.listen(db.engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    migrations.upgrade(db.engine)
"""


def a_link(hook_id: int) -> Link:
    moment = datetime(2026, 7, 14, tzinfo=UTC)
    return Link(
        hook_id=hook_id,
        kind="ticket",
        local_id="1/7",
        state="linked",
        remote_id="99",
        begun_at=moment,
        updated_at=moment,
    )


def wipe(session: Session) -> None:
    """Delete every row."""
    for table in reversed(db.metadata.sorted_tables):
        session.execute(table.delete())
