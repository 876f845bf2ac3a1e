"""The writer: stores the events of many requests in one transaction.

A commit that reaches the disk costs the same for one event as for fifty. So the threads of a
process commit as a group: one request leads and commits for all that arrived meanwhile. Each is
answered after the commit that contains it. If only one request arrives, it is committed at once.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import SQLAlchemyError

from hub import log
from hub.database import in_transaction, is_away
from hub.database.group_commit import (
    Group,
    Turn,
)
from hub.inbox.accept import Accepted, Submission, accept
from hub.plugins import Registry
from hub.queue.ready import ReadyLane

#: The most commits whose lanes are announced together.
GATHER = 100
#: Seconds between two announcements, in which the lanes of a burst gather.
PACE = 0.005

_log = log.get(__name__)

Announce = Callable[[Sequence[ReadyLane]], None]
_Turn = Turn[Submission, list[int]]


class StorageUnavailable(Exception):
    """The database could not store the event now; nothing was accepted."""


class Unstorable(Exception):
    """The database refuses this event, and will always do so."""


class Writer:
    """Writes the events of one process."""

    def __init__(self, registry: Registry, announce: Announce) -> None:
        self._registry = registry
        self._announce = announce
        self._group: Group[Submission, list[int]] = Group(self._store)
        self._announcing: queue.SimpleQueue[Sequence[ReadyLane]] = queue.SimpleQueue()
        self._announcer: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, submission: Submission) -> list[int]:
        """Store the submission and return the ids of its new events once they are on disk.

        :raises StorageUnavailable: it could not be stored.
        """
        _ = submission.rows  # make them in this thread, not in the one for which all wait
        turn = self._group.serve(submission)
        if turn.error is not None:
            raise turn.error
        assert turn.result is not None, "whoever led the commit has given a result or an error"
        return turn.result

    def _ensure_announcer(self) -> None:
        # Started late: a server that forks its workers needs a thread in each of them.
        if self._announcer is not None and self._announcer.is_alive():
            return
        with self._starting:
            if self._announcer is None or not self._announcer.is_alive():
                self._announcer = threading.Thread(target=self._tell, name="announcer", daemon=True)
                self._announcer.start()

    def _tell(self) -> None:
        while True:
            lanes = [lane for ready in _gather(self._announcing) for lane in ready]
            try:
                self._announce(lanes)
            except Exception as error:  # the thread must live; the sweeper will queue
                _log.error("lanes could not be announced", error=repr(error))
            time.sleep(PACE)

    def _store(self, turns: Sequence[_Turn]) -> None:
        try:
            accepted = self._commit([turn.item for turn in turns])
        except SQLAlchemyError as error:
            self._store_one_by_one(turns, error)
        except Exception as error:  # each of the requests must get an answer
            _log.error("events could not be stored", error=repr(error))
            for turn in turns:
                turn.error = error
        else:
            for turn, ids in zip(turns, accepted.event_ids, strict=True):
                turn.result = ids
            # In another thread: the answers need not wait for it, since the events are stored.
            if accepted.ready:
                self._ensure_announcer()
                self._announcing.put(accepted.ready)

    def _store_one_by_one(self, turns: Sequence[_Turn], error: SQLAlchemyError) -> None:
        """Store each alone, so that one submission that the database refuses harms no other."""
        if len(turns) > 1 and not is_away(error):
            for turn in turns:
                self._store([turn])
            return
        _log.error("the database refused to store events", error=str(error), events=len(turns))
        reason: Exception = Unstorable("The database cannot store the event as it is.")
        if is_away(error):
            reason = StorageUnavailable("The database could not store the event.")
        for turn in turns:
            turn.error = reason

    def _commit(self, submissions: Sequence[Submission]) -> Accepted:
        return in_transaction(lambda session: accept(session, submissions, self._registry))


def _gather(waiting: queue.SimpleQueue[Sequence[ReadyLane]]) -> list[Sequence[ReadyLane]]:
    """Wait for the lanes of one commit, and take those of others that are already there."""
    gathered = [waiting.get()]
    while len(gathered) < GATHER:
        try:
            gathered.append(waiting.get_nowait())
        except queue.Empty:
            break
    return gathered
