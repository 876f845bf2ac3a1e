"""The identity mutex: one worker at a time looks for, or makes, the record of one person.

Held on a person's email and phone. A claim is a row that ends with the lease of its lane, so it
needs no time to live of its own and a wiped Redis cannot lose it. It is taken as the work begins if
the plugin could foresee it, else in a transaction of its own, and ends with the next one of the
delivery, which writes what was found or made.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from sqlalchemy import Executable, bindparam, delete, func, select
from sqlalchemy.orm import Session

from hub.database import dialect_of, insert_into, table_of
from hub.database.group_commit import in_shared_transaction
from hub.database.prepared import run
from hub.delivery.lanes import Lease
from hub.delivery.ledger import Ledger
from hub.models import IdentityClaim, Lane
from hub.sdk.errors import RetryLater

_PAUSE = 0.05

_claims, _lanes = table_of(IdentityClaim), table_of(Lane)
_these = (
    _claims.c.hook_id == bindparam("of_hook"),
    _claims.c.key.in_(bindparam("keys", expanding=True)),
)
_CLAIMED = (
    select(*_claims.c["key", "lane_id", "epoch"], _lanes.c.epoch.label("now"), _lanes.c.lease_until)
    .outerjoin(_lanes, _lanes.c.id == _claims.c.lane_id)
    .where(*_these)
)
_of_taking = (_claims.c.lane_id == bindparam("of_lane"), _claims.c.epoch == bindparam("of_epoch"))
_END = delete(_claims).where(*_these, *_of_taking)
_COUNT = select(func.count()).select_from(_claims).where(*_these, *_of_taking)


@cache
def _make(dialect: str) -> Executable:
    return insert_into(dialect, _claims).on_conflict_do_nothing().returning(_claims.c.key)


def digests(keys: Iterable[str]) -> list[str]:
    """What stands for the keys, in the order in which everybody claims them: none waits for another
    crosswise."""
    return sorted({hashlib.sha256(key.encode()).hexdigest() for key in keys})


def claim_ahead(session: Session, lease: Lease, wanted: Sequence[str]) -> frozenset[str]:
    """Claim what nobody else has claimed of the digests, in a transaction of the caller, who has
    just taken the lane. Answers the claims for ``Identities``."""
    return frozenset(digest for digest in wanted if _is_made(session, lease, digest))


def _is_made(session: Session, lease: Lease, digest: str) -> bool:
    made = run(
        session,
        _make(dialect_of(session)),
        hook_id=lease.hook_id,
        key=digest,
        lane_id=lease.lane_id,
        epoch=lease.epoch,
    )
    return made.one_or_none() is not None


class Identities:
    """The identity mutexes that one delivery takes. ``ahead`` are claims that it has already."""

    def __init__(self, ledger: Ledger, ahead: frozenset[str] = frozenset()) -> None:
        self._ledger = ledger
        self._lease = ledger.lease
        self._ahead = set(ahead)
        self._held: set[str] = set()
        #: The claims that are over.
        self.unwritten: set[str] = set()

    @contextmanager
    def hold(self, keys: Sequence[str]) -> Iterator[None]:
        """Hold the mutexes of all keys, or of none, for the length of the block.

        :raises RetryLater: others hold one of them for too long.
        """
        wanted = digests(keys)
        if self._ahead.issuperset(wanted):
            self._ahead.difference_update(wanted)
        else:
            self._wait_for(wanted)
        self.unwritten.difference_update(wanted)
        self._held.update(wanted)
        try:
            yield
        finally:
            self._held.difference_update(wanted)
            self.unwritten.update(wanted)

    def confirm(self, session: Session) -> None:
        """What is held is still ours, in a transaction of the caller. If the lease had ended for a
        while, as that of a paused process does, another worker may have the person by now.

        :raises RetryLater: it has.
        """
        if self._held:
            found = run(session, _COUNT, **self._mine(sorted(self._held))).scalar()
            if found != len(self._held):
                raise RetryLater("Another worker took the same person meanwhile.", delay=2.0)

    def let_go(self) -> None:
        """The plugin is done: claims ahead that it had no use for are over."""
        self.unwritten.update(self._ahead)
        self._ahead.clear()

    def write(self, session: Session) -> None:
        """End the claims that are over, in a transaction of the caller; a later owner's stay."""
        if self.unwritten:
            self._end(session, sorted(self.unwritten))

    def _wait_for(self, wanted: Sequence[str]) -> None:
        # Who waits holds nothing that another might wait for.
        given_up = sorted(self._ahead)
        self.let_go()
        claim = partial(self._claim, wanted=wanted, given_up=given_up)
        give_up = time.monotonic() + self._ledger.policy.identity_wait
        while not in_shared_transaction(claim):
            if time.monotonic() > give_up:
                raise RetryLater("Another worker works on the same person.", delay=2.0)
            self._ledger.clock.sleep(_PAUSE)

    def _claim(self, session: Session, wanted: Sequence[str], given_up: Sequence[str]) -> bool:
        self._ledger.fence(session)
        if given_up:
            self._end(session, given_up)
        for place, digest in enumerate(wanted):
            if _is_made(session, self._lease, digest):
                continue
            self._drop_stale(session, wanted[place:])
            if not _is_made(session, self._lease, digest):
                if place:
                    self._end(session, wanted[:place])
                return False
        return True

    def _drop_stale(self, session: Session, wanted: Sequence[str]) -> None:
        """Claims of ours, and of lanes given back, taken again, or whose lease has ended. Each is
        dropped as it was seen: another may have been as quick, and made its own."""
        now = self._ledger.clock.now()
        for claim in run(session, _CLAIMED, of_hook=self._lease.hook_id, keys=wanted).all():
            if (
                claim.lane_id == self._lease.lane_id
                or claim.epoch != claim.now
                or claim.lease_until is None
                or claim.lease_until < now
            ):
                seen = {"of_lane": claim.lane_id, "of_epoch": claim.epoch}
                run(session, _END, of_hook=self._lease.hook_id, keys=[claim.key], **seen)

    def _end(self, session: Session, ended: Sequence[str]) -> None:
        """End claims of this taking of the lane."""
        run(session, _END, **self._mine(ended))

    def _mine(self, keys: Sequence[str]) -> dict[str, Any]:
        """The values of ``_these`` and ``_of_taking``."""
        lease = self._lease
        return {
            "of_hook": lease.hook_id,
            "keys": keys,
            "of_lane": lease.lane_id,
            "of_epoch": lease.epoch,
        }
