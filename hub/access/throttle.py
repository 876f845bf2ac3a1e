"""Slows down whoever guesses passwords: tries are counted before a password is looked at.

Counted are an email's failures, and an address's. A device from which the person has signed in
before has a count of its own instead: a stranger who guesses locks nobody out there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hub.clock import SystemClock
from hub.database import in_transaction, insert
from hub.errors import Refused
from hub.models import SignInFailures
from hub.security.encryption import digest

#: Failures that cost nothing: of one email or known device, and of one address (an office shares
#: one).
FREE_OF_EMAIL = 5
FREE_OF_ADDRESS = 30
#: Seconds until the next try doubles with each further failure, up to this.
LONGEST_WAIT = 900.0

#: What is counted, by the digest of what it is, with the failures that cost nothing.
Keys = Mapping[str, int]


class TooManyTries(Refused):
    """There were too many failures; ``seconds`` until the next try."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__("Too many failed sign-ins. Wait a little, then try again.")


def of_sign_in(email: str, address: str, device: str | None) -> Keys:
    """What a sign-in counts for. ``device`` names a device that is known to be this person's."""
    if device is not None:
        return {digest(f"device:{device}"): FREE_OF_EMAIL}
    return {
        digest(f"email:{email}"): FREE_OF_EMAIL,
        digest(f"address:{_subscriber(address)}"): FREE_OF_ADDRESS,
    }


def _subscriber(address: str) -> str:
    """Whose address it is: a subscriber of IPv6 has 2^64 of them at least, a /64."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if found.version == 4 or found.ipv4_mapped:
        return address
    return str(ip_network((found.packed[:8] + bytes(8), 64)))


def of_change(user_id: int) -> Keys:
    """What a change of the password counts for, which asks for the present one."""
    return {digest(f"change:{user_id}"): FREE_OF_EMAIL}


def admit(keys: Keys) -> None:
    """Count a try as failed, before it is known how it ends: many at once are counted, too.

    :raises TooManyTries: it may not be made now. It is not counted then.
    """
    now = SystemClock().now()

    def work(session: Session) -> float:
        # Sorted, so that two transactions never wait for each other's rows crosswise.
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
        # What is older than the longest wait no longer matters.
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
    """The try was a good one: its email or device has a clean slate, its address one failure
    less."""

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
