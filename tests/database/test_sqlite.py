"""The connection that writes is kept: nothing of one transaction is left for the next."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub import services
from hub.clock import SystemClock
from hub.database import connection_of, db, in_transaction, reading, table_of, transaction
from hub.database.prepared import (
    look,
    run,
)
from hub.models import Account

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)

_accounts = table_of(Account)
_ADD = insert(_accounts).inline()
_NAMES = select(_accounts.c.name)


def row(name: str) -> dict:
    return {"name": name, "created_at": SystemClock().now(), "features": []}


def account(name: str) -> Account:
    return Account(**row(name))


def names() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(Account.name)))


@pytest.fixture
def entered(app):
    with app.app_context():
        yield app


def test_prepared_statements_core_and_objects_share_a_transaction(entered):
    def work(session) -> None:
        run(session, _ADD, **row("prepared"))
        connection_of(session).execute(_ADD.values(row("core")))
        session.add(account("object"))

    in_transaction(work)
    assert names() == {"prepared", "core", "object"}


def test_an_object_alone_is_written(entered):
    in_transaction(lambda session: session.add(account("object")))
    assert names() == {"object"}


@pytest.mark.parametrize("order", [1, -1])
def test_all_kinds_are_taken_back_together(entered, order):
    class Stop(Exception):
        pass

    def work(session) -> None:
        steps = [
            lambda: run(session, _ADD, **row("prepared")),
            lambda: session.add(account("object")),
            lambda: session.flush(),
        ]
        for step in steps[::order]:
            step()
        raise Stop

    with pytest.raises(Stop):
        in_transaction(work)
    in_transaction(lambda session: run(session, _ADD, **row("next")))
    assert names() == {"next"}


def test_a_refused_object_does_not_spoil_the_next_transaction(entered):
    def clash(session) -> None:
        session.add(Account(id=1, **row("one")))
        session.flush()
        session.expunge_all()
        session.add(Account(id=1, **row("the same")))

    with pytest.raises(IntegrityError):
        in_transaction(clash)
    in_transaction(lambda session: session.add(account("next")))
    in_transaction(lambda session: run(session, _ADD, **row("prepared")))
    assert names() == {"next", "prepared"}


def test_objects_are_their_callers_after_the_commit(entered):
    def work(session) -> Account:
        made = account("mine")
        session.add(made)
        session.flush()
        return made

    made = in_transaction(work)
    made.name = "changed by nobody"
    in_transaction(lambda session: session.add(account("other")))
    assert names() == {"mine", "other"}


def test_a_transaction_is_seen_by_others_only_when_it_is_committed(entered):
    with transaction() as session:
        run(session, _ADD, **row("new"))
        assert look(_NAMES).all() == []
    assert [found.name for found in look(_NAMES)] == ["new"]


def test_a_connection_that_breaks_is_replaced(entered):
    def work(session) -> None:
        session.execute(text("SELECT 1"))
        connection_of(session).connection.dbapi_connection.close()

    with pytest.raises(DBAPIError):
        in_transaction(work)
    in_transaction(lambda session: run(session, _ADD, **row("next")))
    assert names() == {"next"}


def test_what_is_kept_is_closed_with_the_engine(entered):
    in_transaction(lambda session: run(session, _ADD, **row("before")))
    look(_NAMES)
    database = services.of(entered).database
    writer, kept = database._writer._driver, database._looks[0]
    db.engine.dispose()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        writer.execute("SELECT 1")
    assert kept.closed
    in_transaction(lambda session: run(session, _ADD, **row("after")))
    assert names() == {"before", "after"}
