"""Prepared statements say the same as SQLAlchemy's own way."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from hub.clock import SystemClock
from hub.database import db, in_transaction, reading, table_of
from hub.database.prepared import (
    insert_each,
    run,
    run_each,
)
from hub.models import Account, Hook
from tests.support.postgres import HAS_POSTGRES

on_postgresql = pytest.mark.parametrize(
    "config", ["postgresql"] if HAS_POSTGRES else [], indirect=True
)

_accounts, _hooks = table_of(Account), table_of(Hook)
NOW = SystemClock().now()
_ADD = insert(_accounts).returning(_accounts.c.id)
_ADD_WITH_ID = insert(_accounts)
_OF_IDS = (
    select(_accounts).where(_accounts.c.id.in_(bindparam("ids", expanding=True))).order_by("id")
)
_RENAME = update(_accounts).where(_accounts.c.id == bindparam("this")).values(name=bindparam("new"))


def account(name: str, features: list[str] | None = None) -> dict:
    return {"name": name, "created_at": NOW, "features": features or []}


@pytest.fixture
def ids(app):
    with app.app_context():
        rows = [account(name, [name, "ü"]) for name in ("Acme", "Bolt", "Core")]
        yield [row.id for row in in_transaction(lambda s: run_each(s, _ADD, rows))]


def test_values_come_back_as_the_models_types(ids):
    with reading() as session:
        for some in (ids, ids[:1], ids[1:], []):
            ours = [tuple(row) for row in run(session, _OF_IDS, ids=some)]
            assert ours == [tuple(row) for row in session.execute(_OF_IDS, {"ids": some})]
            assert len(ours) == len(some)
        row = run(session, _OF_IDS, ids=ids[:1]).one()
    assert (row.name, row.created_at, row.features) == ("Acme", NOW, ["Acme", "ü"])


def test_rows_that_were_written_are_counted(ids):
    def rename(session) -> tuple[int, int, int]:
        return (
            run(session, _RENAME, this=ids[0], new="Axe").rowcount,
            run(session, _RENAME, this=-1, new="Axe").rowcount,
            run_each(
                session, _RENAME, [{"this": ids[1], "new": "Bow"}, {"this": -1, "new": "Bow"}]
            ).rowcount,
        )

    assert in_transaction(rename) == (1, 0, 1)
    with reading() as session:
        assert [row.name for row in run(session, _OF_IDS, ids=ids)] == ["Axe", "Bow", "Core"]


def test_one_and_none(ids):
    with reading() as session:
        assert run(session, _OF_IDS, ids=[-1]).one_or_none() is None
        assert run(session, _OF_IDS, ids=[-1]).scalar() is None
        assert run(session, _OF_IDS, ids=ids[:1]).scalar() == ids[0]
        with pytest.raises(ValueError, match="too many"):
            run(session, _OF_IDS, ids=ids).one()


def test_a_refusal_is_sqlalchemys_and_tells_no_values(ids):
    given = account("Dodo", ["secret feature"])
    with pytest.raises(IntegrityError) as caught:
        in_transaction(lambda session: run(session, _ADD_WITH_ID, id=ids[0], **given))
    assert "INSERT INTO accounts" in str(caught.value)
    assert "secret feature" not in str(caught.value)
    with reading() as session:
        assert len(run(session, _OF_IDS, ids=ids).all()) == 3


def test_values_that_the_model_would_make_must_be_given(ids):
    with pytest.raises(AssertionError, match="must be given"):
        in_transaction(
            lambda s: run(s, insert(_hooks), account_id=ids[0], plugin_id="x", created_at=NOW)
        )


def test_the_values_are_the_same_every_time(ids):
    """A name more would not be in the statement, and its value would be lost."""
    in_transaction(lambda session: run(session, _ADD, **account("Dodo")))
    with pytest.raises(TypeError, match="was prepared for"):
        in_transaction(lambda session: run(session, _ADD, **account("Emu"), id=99))


def test_reading_sees_one_state(ids):
    """The first statement begins the view; what is written later is not in it."""
    with reading() as session:
        before = [row.name for row in run(session, _OF_IDS, ids=ids)]
        in_transaction(lambda s: run(s, _RENAME, this=ids[0], new="Axe"))
        after = [row.name for row in run(session, _OF_IDS, ids=ids)]
        if session.get_bind().dialect.name == "sqlite":
            assert after == before
    with reading() as session:
        assert run(session, _OF_IDS, ids=ids[:1]).one().name == "Axe"


def test_moments_are_compared_and_null_stays_null(ids):
    status = select(
        _accounts.c.created_at, bindparam("none", None).label("none"), _accounts.c.default_region
    ).where(_accounts.c.created_at < bindparam("limit", type_=_accounts.c.created_at.type))
    with reading() as session:
        rows = run(session, status, limit=NOW + timedelta(seconds=1)).all()
    assert [tuple(row) for row in rows] == [(NOW, None, None)] * 3


@pytest.mark.parametrize("number", [1, 2, 7, 64, 131])
def test_many_rows_are_inserted_with_few_statements(ids, number):
    rows = [account(f"Name {n}", [f"feature {n}"]) for n in range(number)]
    before = len(ids)

    added = [row.id for row in in_transaction(lambda s: insert_each(s, _ADD, rows))]
    assert len(set(added)) == number
    with reading() as session:
        stored = run(session, _OF_IDS, ids=added).all()
        assert {row.name: row.features for row in stored} == {
            row["name"]: row["features"] for row in rows
        }
        assert session.scalar(select(func.count()).select_from(_accounts)) == before + number


def test_no_rows_are_no_statement(ids):
    assert in_transaction(lambda session: insert_each(session, _ADD, []).all()) == []


@on_postgresql
def test_a_lost_connection_is_not_used_again(ids, config):
    with db.engine.connect() as connection, Session(connection) as session:
        pid = connection.connection.driver_connection.info.backend_pid
        url = config.database_url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        with pytest.raises(OperationalError) as caught:
            run(session, _OF_IDS, ids=ids)
        assert caught.value.connection_invalidated
        assert connection.invalidated
