"""What one attempt writes, and the fence before it.

A link is written with the next commit that is due anyway (the intent of the next create, before the
next call, or with the outcome): until then the intent protects it, so a commit of its own would buy
nothing. State and the ends of identity claims go the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Protocol, TypeVar

from sqlalchemy.orm import Session

from hub.database.group_commit import in_shared_transaction
from hub.delivery import lanes
from hub.delivery.lanes import Lease
from hub.policy import LeasePolicy
from hub.sdk.context import Clock

Result = TypeVar("Result")


class Unwritten(Sized, Protocol):
    """What waits to be written."""

    def clear(self) -> None:
        """It is written."""


class Book(Protocol):
    """A part of the ledger."""

    @property
    def unwritten(self) -> Unwritten:
        """What ``write`` would write."""

    def write(self, session: Session) -> None:
        """Write it, in a transaction whose fence is held. May be repeated."""


class Ledger:
    """All that one attempt writes before its outcome."""

    def __init__(self, lease: Lease, clock: Clock, policy: LeasePolicy) -> None:
        self.lease = lease
        self.clock = clock
        self.policy = policy
        self.books: list[Book] = []

    def commit(self, work: Callable[[Session], Result]) -> Result:
        """A transaction with the fence, what has waited to be written, and then ``work``.

        :raises LaneLost: the lane is another worker's now; nothing is written.
        """

        def whole(session: Session) -> Result:
            self.fence(session)
            self.write(session)
            return work(session)

        result = in_shared_transaction(whole)
        self.is_written()
        return result

    def flush(self) -> None:
        """Commit what is not written yet."""
        if any(book.unwritten for book in self.books):
            self.commit(lambda _: None)

    def fence(self, session: Session) -> None:
        """Make sure that the lane is ours, until the end of the transaction."""
        lanes.renew(session, self.lease, self.clock.now(), self.policy.lease)

    def write(self, session: Session) -> None:
        """Write what is not written yet, in a transaction of the caller, who holds the fence."""
        for book in self.books:
            book.write(session)

    def is_written(self) -> None:
        """What ``write`` did is committed."""
        for book in self.books:
            book.unwritten.clear()
