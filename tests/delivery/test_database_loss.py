"""The database's connection breaks, or is busy, at any statement of a drain: nothing is doubled."""

from __future__ import annotations

import sqlite3
import threading

import psycopg
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from hub.database import (
    db,
    engine,
    postgresql,
    reading,
    sqlite,
)
from hub.models import Attempt, AttemptOutcome, Delivery, DeliveryState, Lane
from tests.support.breaker import Breaker
from tests.support.postgres import HAS_POSTGRES
from tests.support.statements import before_each

on_postgresql = pytest.mark.parametrize(
    "config", ["postgresql"] if HAS_POSTGRES else [], indirect=True
)
on_sqlite = pytest.mark.parametrize("config", ["sqlite"], indirect=True)

#: What one lane brings.
NAMES = ["contact.created", "conversation.created", "contact.updated"]


def send_all(world, contact: str) -> int:
    """A lane with one event of each name; answers its id."""
    for name in NAMES:
        world.send(name, contact=contact, conversation=contact)
    with reading() as session:
        return session.scalars(select(Lane.id).where(Lane.key.endswith(f":{contact}"))).one()


def states() -> list[DeliveryState]:
    with reading() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def every_moment(world, crm, breaker: Breaker) -> None:
    """Drain a lane undisturbed, then one for every moment that the breaker met in it."""
    breaker.met = 0
    world.drain_lane(send_all(world, "1"))
    moments = breaker.met
    assert moments > 5
    for moment in range(1, moments + 1):
        lane = send_all(world, str(1 + moment))
        crm.handled.clear()
        breaker.met, breaker.at = 0, moment
        world.drain_lane(lane)
        breaker.at = None
        assert [said for said, _ in crm.handled] == NAMES, f"broken at moment {moment}"
    assert set(states()) == {DeliveryState.DONE}
    assert len(crm.records) == len(set(crm.records)) == moments + 1
    with reading() as session:
        assert session.scalars(select(Lane.owner).where(Lane.owner.is_not(None))).all() == []


@on_postgresql
def test_a_connection_that_breaks_at_any_statement_changes_nothing(world, crm, config):
    breaker = Breaker(config.database_url)

    def meet(connection, *_: object) -> None:
        driver = connection.connection.driver_connection
        if breaker.meets():
            breaker.end(driver)

    with before_each(meet):
        every_moment(world, crm, breaker)


@on_postgresql
def test_a_commit_whose_answer_is_lost_changes_nothing(world, crm, config, monkeypatch):
    """It is repeated, and must recognise what it has done already."""
    breaker = Breaker(config.database_url)
    commit = db.engine.dialect.do_commit

    def do_commit(connection) -> None:
        commit(connection)
        if breaker.meets():
            breaker.end(connection.driver_connection)
            connection.driver_connection.execute("SELECT 1")

    monkeypatch.setattr(db.engine.dialect, "do_commit", do_commit)
    every_moment(world, crm, breaker)


@on_postgresql
def test_all_connections_at_once(world, crm, config):
    """As when the server is restarted: also those that wait in the pool."""
    lane = send_all(world, "1")
    url = config.database_url.replace("postgresql+psycopg://", "postgresql://")

    def end_all(_: object) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    crm.on_handle = end_all
    assert world.drain_lane(lane) == 3
    assert [said for said, _ in crm.handled] == NAMES
    with reading() as session:
        assert set(session.scalars(select(Attempt.outcome))) == {AttemptOutcome.DONE}


@on_sqlite
def test_a_database_that_is_busy_for_long_is_waited_for(world, crm, config, monkeypatch):
    """Another process writes for longer than the busy timeout: the transaction is tried again."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.1)
    path = config.database_url.removeprefix("sqlite:///")
    tries: list[object] = []
    may_pass = engine.may_pass

    others: list[sqlite3.Connection] = []

    def counted(error) -> bool:
        tries.append(error)
        while others:  # the other process is done, once it was waited for in vain
            others[-1].execute("ROLLBACK")
            others.pop().close()
        return may_pass(error)

    monkeypatch.setattr(engine, "may_pass", counted)
    lane = send_all(world, "1")

    def be_busy(_: object) -> None:
        crm.on_handle = None
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        others.append(other)

    crm.on_handle = be_busy
    assert world.drain_lane(lane) == 3
    assert tries
    assert [said for said, _ in crm.handled] == NAMES
    assert set(states()) == {DeliveryState.DONE}


@on_postgresql
def test_a_process_that_stopped_in_a_transaction_does_not_stop_the_others(
    world, crm, config, monkeypatch
):
    """It holds a lane's row, which the sweeper and all who accept events for it wait for."""
    monkeypatch.setattr(postgresql, "IDLE_TIMEOUT", 1)
    lane = send_all(world, "1")
    db.engine.dispose()
    stopped = db.engine.connect()
    stopped.execute(update(Lane).where(Lane.id == lane).values(queued_at=None))
    give_up = threading.Timer(20, stopped.close)
    give_up.start()
    world.sweeper.sweep()
    assert world.drain_lane(lane) == 3
    with pytest.raises(DBAPIError):
        stopped.execute(select(Lane.id))
    give_up.cancel()
    stopped.close()
