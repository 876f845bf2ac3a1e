"""Group commit: threads that want to write at the same time share a transaction.

SQLite has one writer, and a commit that reaches the disk costs as much for ten lanes as for one.
So a thread that comes while another one commits puts its work into a queue. The next leader takes
all that is queued and commits once. A thread that is alone waits for nobody. PostgreSQL groups
commits by itself, so there each work has its own transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.orm import Session

from hub import crashpoint
from hub.database.engine import database, in_transaction, transaction

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Session], Any]

#: The most items in one transaction, so that the others need not wait for long.
MOST = 100


class Turn(Generic[Item, Result]):
    """What one thread wants to commit, and then its result or error."""

    __slots__ = ("error", "is_served", "item", "result", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: Exception | None = None
        self.is_served = False
        #: Released when the thread may go on: its item was committed, or it leads next.
        self.woken = threading.Lock()
        self.woken.acquire()


class Group(Generic[Item, Result]):
    """Threads that commit together. One at a time leads, and commits for all that wait.

    ``commit`` must give each turn its result or its error.
    """

    def __init__(self, commit: Callable[[Sequence[Turn[Item, Result]]], None]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._waiting: list[Turn[Item, Result]] = []
        self._is_led = False

    def serve(self, item: Item) -> Turn[Item, Result]:
        """Commit an item; returns when its commit has succeeded or failed."""
        turn: Turn[Item, Result] = Turn(item)
        with self._lock:
            self._waiting.append(turn)
            leads, self._is_led = not self._is_led, True
        if not leads:
            turn.woken.acquire()
        if not turn.is_served:
            self._lead()
        return turn

    def _lead(self) -> None:
        with self._lock:
            turns, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._commit(turns)
        finally:
            with self._lock:
                successor = self._waiting[0] if self._waiting else None
                self._is_led = successor is not None
            for turn in turns:
                turn.is_served = True
                turn.woken.release()
            if successor is not None:
                successor.woken.release()


WorkGroup = Group[Work, Any]


class _Alone(Exception):
    """The shared transaction has failed: each thread has to try alone."""


def in_shared_transaction(work: Callable[[Session], Result]) -> Result:
    """``in_transaction``, but shared with the work of other threads if that is cheaper.

    ``work`` may run in another thread, so it must not read what belongs to its own. If the shared
    transaction fails, ``work`` is run once more, alone.
    """
    group = database().group
    if group is None:
        return in_transaction(work)
    turn = group.serve(work)
    if isinstance(turn.error, _Alone):
        return in_transaction(work)
    if turn.error is not None:
        raise turn.error
    return cast(Result, turn.result)


def commit_all(turns: Sequence[Turn[Work, Any]]) -> None:
    """Commit all works in one transaction. If it fails for any reason, each has to try alone.
    Errors are rare, so that costs less than a savepoint for each work."""
    if len(turns) == 1:
        turns[0].result, turns[0].error = _ending(turns[0].item)
        return
    try:
        with transaction() as session:
            results = [turn.item(session) for turn in turns]
            crashpoint.boundary("before a commit")
        crashpoint.boundary("after a commit")
    except Exception:  # each thread gets its own error when it tries alone
        for turn in turns:
            turn.error = _Alone()
        return
    for turn, result in zip(turns, results, strict=True):
        turn.result = result


def _ending(work: Work) -> tuple[Any, Exception | None]:
    """What the work returns, or the error that it raises."""
    try:
        return in_transaction(work), None
    except Exception as error:
        return None, error
