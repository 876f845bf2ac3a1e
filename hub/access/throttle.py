"""Slows down whoever guesses passwords: an email's and an address's failures are counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.clock import SystemClock
from hub.database import in_transaction, insert, reading
from hub.models import SignInFailures
from hub.security.encryption import digest

#: Failures that cost nothing: of one email, and of one address (an office shares one).
FREE_OF_EMAIL = 5
FREE_OF_ADDRESS = 30
#: Seconds until the next try doubles with each further failure, up to this.
LONGEST_WAIT = 900.0


def wait(email: str, address: str) -> float:
    """Seconds until this email may be tried from this address; 0 when it may be now."""
    now = SystemClock().now()
    free = _keys(email, address)
    with reading() as session:
        rows = session.scalars(select(SignInFailures).where(SignInFailures.key.in_(free))).all()
    return max((_wait(row, free[row.key], now) for row in rows), default=0.0)


def failed(email: str, address: str) -> None:
    """Count a failed try."""
    now = SystemClock().now()

    def work(session: Session) -> None:
        for key in _keys(email, address):
            session.execute(
                insert(session, SignInFailures)
                .values(key=key, failures=1, last_at=now)
                .on_conflict_do_update(
                    index_elements=[SignInFailures.key],
                    set_={"failures": SignInFailures.failures + 1, "last_at": now},
                )
            )
        # What is older than the longest wait no longer matters.
        session.execute(
            delete(SignInFailures).where(
                SignInFailures.last_at < now - timedelta(seconds=LONGEST_WAIT)
            )
        )

    in_transaction(work)


def succeeded(email: str) -> None:
    """Forget the failures of this email."""
    key = digest(f"email:{email}")
    in_transaction(
        lambda session: session.execute(delete(SignInFailures).where(SignInFailures.key == key))
    )


def _keys(email: str, address: str) -> Mapping[str, int]:
    return {
        digest(f"email:{email}"): FREE_OF_EMAIL,
        digest(f"address:{address}"): FREE_OF_ADDRESS,
    }


def _wait(row: SignInFailures, free: int, now: datetime) -> float:
    if row.failures < free:
        return 0.0
    seconds = min(2.0 ** (row.failures - free), LONGEST_WAIT)
    return max(0.0, (row.last_at + timedelta(seconds=seconds) - now).total_seconds())
