"""Slows down guessing of passwords. Tries are counted before the password is checked.

Failures are counted for the email and for the address. A device from which the person has signed in
before has its own count instead. So a stranger who guesses does not lock the person out there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.database import in_transaction, insert
from hub.errors import Refused
from hub.models import SignInFailures
from hub.security.encryption import digest

#: So many failures need no waiting: of one email or known device, and of one address (which all
#: people of an office may share).
FREE_OF_EMAIL = 5
FREE_OF_ADDRESS = 30
#: After that, the seconds until the next try double with each failure, up to this.
LONGEST_WAIT = 900.0

#: What is counted: a digest, with the number of failures that need no waiting.
Keys = Mapping[str, int]


class TooManyTries(Refused):
    """There were too many failures. The next try is possible in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__("Too many failed sign-ins. Wait a little, then try again.")


def of_sign_in(email: str, address: str, device: str | None) -> Keys:
    """The counters of a sign-in. ``device`` is the name of a known device of this person."""
    if device is not None:
        return {digest(f"device:{device}"): FREE_OF_EMAIL}
    return {
        digest(f"email:{email}"): FREE_OF_EMAIL,
        digest(f"address:{_subscriber(address)}"): FREE_OF_ADDRESS,
    }


def _subscriber(address: str) -> str:
    """The network of one subscriber: with IPv6 each has a /64 at least, with 2^64 addresses."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4 or found.ipv4_mapped:
        return address
    return str(ip_network((found.packed[:8] + bytes(8), 64)))


def of_change(user_id: int) -> Keys:
    """The counters of a change of password, which asks for the current one."""
    return {digest(f"change:{user_id}"): FREE_OF_EMAIL}


def admit(keys: Keys) -> None:
    """Count a try as failed before its result is known, so that many tries at once count, too.

    :raises TooManyTries: no try is allowed now. This one is not counted.
    """
    now = clock.now()

    def work(session: Session) -> float:
        # Sorted, so that two transactions cannot deadlock.
        for key in sorted(keys):
            session.execute(
                insert(session, SignInFailures)
                .values(key=key, failures=0, last_at=now - timedelta(days=1))
                .on_conflict_do_nothing(index_elements=[SignInFailures.key])
            )
        rows = session.scalars(
            select(SignInFailures)
            .where(SignInFailures.key.in_(keys))
            .order_by(SignInFailures.key)
            .with_for_update()
        ).all()
        seconds = max(_wait(row, keys[row.key], now) for row in rows)
        if seconds == 0:
            for row in rows:
                row.failures, row.last_at = row.failures + 1, now
        # Failures that are older than the longest wait no longer matter.
        session.execute(
            delete(SignInFailures).where(
                SignInFailures.last_at < now - timedelta(seconds=LONGEST_WAIT),
                SignInFailures.key.not_in(keys),
            )
        )
        return seconds

    if seconds := in_transaction(work):
        raise TooManyTries(seconds)


def succeeded(keys: Keys) -> None:
    """Note that a try has succeeded. The count of its email or device is deleted; that of its
    address goes down by one."""

    def work(session: Session) -> None:
        for key, free in keys.items():
            if free == FREE_OF_ADDRESS:
                session.execute(
                    update(SignInFailures)
                    .where(SignInFailures.key == key, SignInFailures.failures > 0)
                    .values(failures=SignInFailures.failures - 1)
                )
            else:
                session.execute(delete(SignInFailures).where(SignInFailures.key == key))

    in_transaction(work)


def _wait(row: SignInFailures, free: int, now: datetime) -> float:
    if row.failures < free:
        return 0.0
    seconds = min(2.0 ** (row.failures - free), LONGEST_WAIT)
    return max(0.0, (row.last_at + timedelta(seconds=seconds) - now).total_seconds())
