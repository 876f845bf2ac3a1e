"""Group commit: works of several threads share a transaction, and none pays for another's error."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import OperationalError

from hub.clock import SystemClock
from hub.database import connection_of, database, db, in_transaction, reading, table_of
from hub.database.group_commit import in_shared_transaction
from hub.models import Account
from hub.sdk.errors import LaneLost

on_sqlite = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


def add(session, name: str) -> str:
    values = {"name": name, "created_at": SystemClock().now(), "features": []}
    connection_of(session).execute(insert(table_of(Account)).values(values))
    return name


def names() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(Account.name)))


class Crowd:
    """Threads whose works gather while a first one holds up the transaction."""

    def __init__(self, app) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(20)
        self.commits = 0

    def run(self, *works) -> list:
        """The futures of a work that waits until all the others have gathered, and of them."""
        leading, gathered = threading.Event(), threading.Event()

        def first(session) -> str:
            leading.set()
            assert gathered.wait(120)
            return add(session, "first")

        futures = [self._submit(first)]
        assert leading.wait(120)
        futures += [self._submit(work) for work in works]
        with self._app.app_context():
            give_up = time.monotonic() + 120
            while waiting_turns() < len(works):
                assert time.monotonic() < give_up, "the works do not gather"
                time.sleep(0.001)
        event.listen(db.engine, "commit", self._count)
        try:
            gathered.set()
            for future in futures:
                future.exception(10)
        finally:
            event.remove(db.engine, "commit", self._count)
        return futures

    def _submit(self, work):
        def in_context():
            with self._app.app_context():
                return in_shared_transaction(work)

        return self._pool.submit(in_context)

    def _count(self, _) -> None:
        self.commits += 1


def waiting_turns() -> int:
    return len(database().group._waiting)


@pytest.fixture
def crowd(app):
    with app.app_context():
        yield Crowd(app)


@on_sqlite
def test_what_gathers_is_committed_at_once(crowd):
    futures = crowd.run(*(lambda s, n=n: add(s, f"name {n}") for n in range(10)))
    expected = ["first", *(f"name {n}" for n in range(10))]
    assert [future.result() for future in futures] == expected
    assert names() == set(expected)
    assert crowd.commits == 2  # the first, which nobody could join, and all the others


@on_sqlite
def test_an_error_takes_back_its_own_work_only(crowd):
    def lose(session) -> None:
        add(session, "lost")
        raise LaneLost("Another worker has taken over this lane.")

    before, lost, after = crowd.run(lambda s: add(s, "before"), lose, lambda s: add(s, "after"))[1:]
    assert (before.result(), after.result()) == ("before", "after")
    with pytest.raises(LaneLost):
        lost.result()
    assert names() == {"first", "before", "after"}


@on_sqlite
def test_what_the_database_refuses_together_is_tried_alone(crowd):
    """SQLite itself may roll back everything, as when the disk is full."""
    tries = []

    def refused(session) -> None:
        tries.append("refused")
        add(session, "refused")
        connection_of(session).connection.dbapi_connection.execute("ROLLBACK")
        raise OperationalError("INSERT", None, OSError("disk full"))

    before, failed, after = crowd.run(
        lambda s: add(s, "before"), refused, lambda s: add(s, "after")
    )[1:]
    assert (before.result(), after.result()) == ("before", "after")
    with pytest.raises(OperationalError, match="disk full"):
        failed.result()
    assert len(tries) == 2
    assert names() == {"first", "before", "after"}


@on_sqlite
def test_a_commit_that_fails_is_repeated_by_each(crowd, monkeypatch):
    commit = db.engine.dialect.do_commit
    left = [1]

    def fail_the_second(connection) -> None:
        if left[0] == 0:
            left[0] = -1
            raise db.engine.dialect.loaded_dbapi.OperationalError("disk I/O error")
        left[0] -= 1
        commit(connection)

    monkeypatch.setattr(db.engine.dialect, "do_commit", fail_the_second)
    futures = crowd.run(lambda s: add(s, "one"), lambda s: add(s, "two"))
    assert [future.result() for future in futures] == ["first", "one", "two"]
    assert names() == {"first", "one", "two"}


def test_many_threads_lose_nothing(app):
    def add_one(number: int) -> str:
        with app.app_context():
            return in_shared_transaction(lambda session: add(session, f"name {number}"))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(add_one, range(200)))
    assert answers == [f"name {number}" for number in range(200)]
    with app.app_context():
        assert names() == set(answers)


def test_a_thread_alone_gets_its_error(app):
    def fail(session) -> None:
        add(session, "lost")
        raise LaneLost("Another worker has taken over this lane.")

    with app.app_context():
        with pytest.raises(LaneLost):
            in_shared_transaction(fail)
        in_transaction(lambda session: add(session, "kept"))
        assert names() == {"kept"}
