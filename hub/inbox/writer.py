"""The writer: commits what has gathered from many requests in one transaction.

A commit that reaches the disk costs the same for one event as for fifty. So request threads hand
their submission to one writer thread a process and wait; each is answered after the commit that
contains it. A quiet hub commits each request at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from flask import Flask
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from hub import log
from hub.database import in_transaction
from hub.inbox.accept import Accepted, Submission, accept
from hub.plugins import Registry
from hub.queue.ready import ReadyLane

#: Submissions in one transaction at most.
GATHER = 100

_log = log.get(__name__)

Announce = Callable[[Sequence[ReadyLane]], None]
_Waiting = tuple[Submission, "Future[list[int]]"]
_Item = TypeVar("_Item")


class StorageUnavailable(Exception):
    """The database could not store the event now; nothing was accepted."""


class Unstorable(Exception):
    """The database will never store this event as it is."""


class Writer:
    """Owns the writing of events in one process. The thread starts with the first submission."""

    def __init__(self, app: Flask, registry: Registry, announce: Announce) -> None:
        self._app = app
        self._registry = registry
        self._announce = announce
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._announcing: queue.SimpleQueue[Sequence[ReadyLane]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, submission: Submission) -> list[int]:
        """Store the submission and return the ids of its new events once they are on disk.

        :raises StorageUnavailable: it could not be stored.
        """
        self._ensure_thread()
        _ = submission.rows  # made by this thread, not by the one all wait for
        future: Future[list[int]] = Future()
        self._waiting.put((submission, future))
        return future.result()

    def _ensure_thread(self) -> None:
        # Started late, so that a server which forks its workers gets one in each.
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
                threading.Thread(target=self._tell, name="announcer", daemon=True).start()

    def _run(self) -> None:
        with self._app.app_context():
            while True:
                self._store(_gather(self._waiting))

    def _tell(self) -> None:
        with self._app.app_context():
            while True:
                lanes = [lane for ready in _gather(self._announcing) for lane in ready]
                try:
                    self._announce(lanes)
                except Exception as error:  # the thread must live; the sweeper will queue
                    _log.error("lanes could not be announced", error=repr(error))

    def _store(self, gathered: list[_Waiting]) -> None:
        try:
            accepted = self._commit([submission for submission, _ in gathered])
        except SQLAlchemyError as error:
            self._store_one_by_one(gathered, error)
        except Exception as error:  # the requests must be answered, and the thread must live
            _log.error("events could not be stored", error=repr(error))
            for _, future in gathered:
                future.set_exception(error)
        else:
            for (_, future), ids in zip(gathered, accepted.event_ids, strict=True):
                future.set_result(ids)
            # After the answer, and beside the next commit: the promise is kept by this one alone.
            if accepted.ready:
                self._announcing.put(accepted.ready)

    def _store_one_by_one(self, gathered: list[_Waiting], error: SQLAlchemyError) -> None:
        """One submission that the database refuses must not take the others with it."""
        if len(gathered) > 1 and not _may_pass(error):
            for item in gathered:
                self._store([item])
            return
        _log.error("the database refused to store events", error=str(error), events=len(gathered))
        reason: Exception = Unstorable("The database cannot store the event as it is.")
        if _may_pass(error):
            reason = StorageUnavailable("The database could not store the event.")
        for _, future in gathered:
            future.set_exception(reason)

    def _commit(self, submissions: Sequence[Submission]) -> Accepted:
        return in_transaction(lambda session: accept(session, submissions, self._registry))


def _gather(waiting: queue.SimpleQueue[_Item]) -> list[_Item]:
    """What waits, at least one."""
    gathered = [waiting.get()]
    while len(gathered) < GATHER:
        try:
            gathered.append(waiting.get_nowait())
        except queue.Empty:
            break
    return gathered


def _may_pass(error: SQLAlchemyError) -> bool:
    """Not what was to be stored is to blame, but the state of the database."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return not isinstance(error, DataError | IntegrityError | StatementError) or isinstance(
        error, OperationalError | InternalError
    )
