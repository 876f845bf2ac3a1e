"""Group commit: what several threads want to write at one moment shares a transaction.

SQLite has one writer, and a commit that reaches the disk costs as much for ten lanes as for one.
So a thread that finds another at its commit leaves its work behind; whoever leads next takes all
that has gathered, each work in a savepoint of its own, and commits once. A thread alone waits for
nobody. PostgreSQL commits its writers in groups by itself, and gets each work as it comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub import crashpoint
from hub.database import db, in_transaction, transaction

Result = TypeVar("Result")

#: Works in one transaction at most: the others' turn must come, too.
MOST = 50


def in_shared_transaction(work: Callable[[Session], Result]) -> Result:
    """``in_transaction``, in one transaction with the work of other threads if that is cheaper.

    ``work`` may run in another thread, so it reads nothing that belongs to its own; and it is run
    once more, alone, if the transaction of all fails.
    """
    engine = db.engine
    if engine.dialect.name != "sqlite":
        return in_transaction(work)
    turn = _Turn(work)
    _group_of(engine).serve(turn)
    if turn.alone:
        return in_transaction(work)
    if turn.error is not None:
        raise turn.error
    result: Result = turn.result
    return result


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Turn:
    """One thread's work, and what became of it.

    ``woken`` is released when the thread may go on: it has been served, or it leads. ``alone``
    says that the work was not committed with the others'.
    """

    work: Callable[[Session], Any]
    woken: threading.Lock = field(default_factory=_locked)
    served: bool = False
    alone: bool = True
    result: Any = None
    error: Exception | None = None

    def carry_out(self, transact: Callable[[Callable[[Session], Any]], Any]) -> None:
        """Do the work; what it answers or raises is for its own thread."""
        try:
            self.result = transact(self.work)
        except Exception as error:
            self.error = error
        self.alone = False


class _Group:
    """The threads of this process that write to one database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Turn] = []
        self._led = False

    def serve(self, turn: _Turn) -> None:
        """Return when the work is committed, has failed, or must be done alone."""
        with self._lock:
            self._waiting.append(turn)
            leads, self._led = not self._led, True
        if not leads:
            turn.woken.acquire()
        if not turn.served:
            self._lead()

    def _lead(self) -> None:
        with self._lock:
            turns, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            _commit(turns)
        finally:
            with self._lock:
                successor = self._waiting[0] if self._waiting else None
                self._led = successor is not None
            for turn in turns:
                turn.served = True
                turn.woken.release()
            if successor is not None:
                successor.woken.release()


def _commit(turns: list[_Turn]) -> None:
    """One transaction for all. If the database refuses it, each of them has to try alone."""
    if len(turns) == 1:
        turns[0].carry_out(in_transaction)
        return
    try:
        with transaction() as session:
            savepoint = partial(_in_savepoint, session.connection())
            for turn in turns:
                turn.carry_out(savepoint)
                if isinstance(turn.error, SQLAlchemyError):
                    raise turn.error  # SQLite may have rolled back everything
            crashpoint.boundary("before a commit")
        crashpoint.boundary("after a commit")
    except SQLAlchemyError:
        for turn in turns:
            turn.alone = True


def _in_savepoint(connection: Connection, work: Callable[[Session], Result]) -> Result:
    with connection.begin_nested(), Session(connection, expire_on_commit=False) as session:
        result = work(session)
        session.flush()
        return result


def _group_of(engine: Engine) -> _Group:
    group = _groups.get(engine)
    if group is None:
        with _making:
            group = _groups.setdefault(engine, _Group())
    return group


_groups: WeakKeyDictionary[Engine, _Group] = WeakKeyDictionary()
_making = threading.Lock()
