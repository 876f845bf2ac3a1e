"""The circuit breaker of a hook. While a CRM is down, only a few calls test whether it is back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from hub import log
from hub.database import insert, table_of
from hub.database.prepared import run
from hub.models import Breaker, BreakerState, Hook, HookStatus
from hub.policy import BreakerPolicy

_log = log.get(__name__)


_breakers = table_of(Breaker)
_this_hook = _breakers.c.hook_id == bindparam("this_hook")
#: The columns that ``enter`` needs, in the order of ``Seen``.
SEEN = tuple(_breakers.c["hook_id", "state", "retry_at", "probes"])
_CLOSED = {
    "state": BreakerState.CLOSED,
    "failures": 0,
    "probes": 0,
    "retry_at": None,
    "opened_at": None,
    "reason": "",
}
_CLOSE_TROUBLED = update(_breakers).where(_this_hook, _breakers.c.failures > 0).values(_CLOSED)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a delivery of the hook may be tried now. ``probe``: as the probe of an open breaker.
    If not, ``retry_at`` says when to ask again."""

    open: bool
    probe: bool = False
    retry_at: datetime | None = None


class Seen(NamedTuple):
    """A hook's breaker as this transaction saw it; all ``None`` if it has no row."""

    hook_id: int | None
    state: BreakerState | None
    retry_at: datetime | None
    probes: int | None


def enter(session: Session, breaker: Seen, now: datetime, policy: BreakerPolicy) -> Gate:
    """Ask to pass. At most one caller passes as the probe of an open breaker."""
    if breaker.retry_at is not None and breaker.retry_at > now:
        return Gate(False, retry_at=breaker.retry_at)  # open, or a pause that the remote asked for
    if breaker.state in (None, BreakerState.CLOSED):
        return Gate(True)
    # Half-open until the probe ends. If its worker dies, the next probe is let through at retry_at.
    retry_at = now + timedelta(seconds=policy.probe_after(breaker.probes or 0))
    won = session.execute(
        update(Breaker)
        .where(Breaker.hook_id == breaker.hook_id, Breaker.retry_at == breaker.retry_at)
        .values(state=BreakerState.HALF_OPEN, retry_at=retry_at)
        .returning(Breaker.hook_id)
    ).one_or_none()
    return Gate(True, probe=True) if won else Gate(False, retry_at=retry_at)


def succeeded(session: Session, hook_id: int) -> bool:
    """A delivery succeeded: close the breaker. Returns whether there had been failures."""
    if not run(session, _CLOSE_TROUBLED, this_hook=hook_id).rowcount:
        return False
    _set_status(session, hook_id, HookStatus.DEGRADED, HookStatus.ACTIVE, "")
    return True


def failed(
    session: Session, hook_id: int, reason: str, now: datetime, policy: BreakerPolicy
) -> None:
    """Count a temporary failure, and open the breaker if there are enough in a row."""
    session.execute(
        insert(session, Breaker)
        .values(hook_id=hook_id, state=BreakerState.CLOSED, failures=0, probes=0, reason="")
        .on_conflict_do_nothing()
    )
    breaker = session.get_one(Breaker, hook_id, with_for_update=True, populate_existing=True)
    breaker.failures += 1
    breaker.reason = reason
    if breaker.state == BreakerState.CLOSED and breaker.failures < policy.failures:
        return
    if breaker.state == BreakerState.CLOSED:
        breaker.opened_at = now
        _log.warning("circuit breaker opened", hook=hook_id, reason=reason)
        _set_status(session, hook_id, HookStatus.ACTIVE, HookStatus.DEGRADED, reason)
    elif breaker.state == BreakerState.OPEN and breaker.retry_at and breaker.retry_at > now:
        return  # this call had begun before the breaker opened
    else:
        breaker.probes += 1
    breaker.state = BreakerState.OPEN
    breaker.retry_at = now + timedelta(seconds=policy.probe_after(breaker.probes))


def throttled(session: Session, hook_id: int, until: datetime) -> None:
    """The remote asked for a pause: no call of any worker before ``until``."""
    session.execute(
        insert(session, Breaker)
        .values(
            hook_id=hook_id,
            state=BreakerState.CLOSED,
            failures=0,
            probes=0,
            reason="",
            retry_at=until,
        )
        .on_conflict_do_update(index_elements=[Breaker.hook_id], set_={"retry_at": until})
    )


def probe_now(session: Session, hook_id: int, now: datetime) -> None:
    """Let the next probe through at once."""
    session.execute(
        update(Breaker)
        .where(Breaker.hook_id == hook_id, Breaker.state != BreakerState.CLOSED)
        .values(retry_at=now)
    )


def reset(session: Session, hook_id: int) -> None:
    """Close the breaker, after a person has repaired the hook."""
    session.execute(update(Breaker).where(Breaker.hook_id == hook_id).values(_CLOSED))


def _set_status(
    session: Session, hook_id: int, before: HookStatus, after: HookStatus, detail: str
) -> None:
    session.execute(
        update(Hook)
        .where(Hook.id == hook_id, Hook.status == before)
        .values(status=after, status_detail=detail)
    )
