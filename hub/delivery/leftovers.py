"""What is still owed: what goes by itself sooner or later, and what waits for a person."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from hub.clock import SystemClock
from hub.database import reading
from hub.delivery import kept
from hub.models import (
    OPEN,
    WORKING,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Hook,
    HookStatus,
    Lane,
)


class Progress(enum.StrEnum):
    """How a delivery that goes by itself stands, in words."""

    RUNNING = "running"
    DUE = "due"
    BACKOFF = "in backoff"
    BREAKER = "behind an open breaker"
    PAUSE = "in a pause that the remote asked for"


@dataclass(frozen=True, slots=True)
class Going:
    """A delivery that goes by itself; ``next_try`` is ``None`` while it runs."""

    delivery_id: int
    hook_id: int
    hook_name: str
    progress: Progress
    next_try: datetime | None

    def __str__(self) -> str:
        words = f"delivery {self.delivery_id} of {_named(self.hook_id, self.hook_name)}"
        words += f" is {self.progress}"
        if self.next_try is None:
            return words
        return f"{words}, tried next at {self.next_try.astimezone():%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Held:
    """So many deliveries of a hook wait for a person, the oldest of them first."""

    hook_id: int
    hook_name: str
    count: int
    oldest_id: int
    why: str

    def __str__(self) -> str:
        deliveries = f"{self.count} deliveries (the oldest is {self.oldest_id})"
        if self.count == 1:
            deliveries = f"delivery {self.oldest_id}"
        verb = "waits" if self.count == 1 else "wait"
        return f"{deliveries} of {_named(self.hook_id, self.hook_name)} {verb}: {self.why}"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is owed: how much goes by itself, the oldest of that, and what is held."""

    going: int
    oldest_going: Going | None
    held: Sequence[Held]


def leftovers(plugins: Collection[str]) -> Leftovers:
    """What is owed still. ``plugins`` are the ids of those that can be used."""
    now = SystemClock().now()
    going: list[tuple[int, int, _Hook]] = []
    held: list[Held] = []
    with reading() as session:
        for hook in _hooks(session):
            count, oldest = kept.of_hook(session, hook.id)
            if count:
                held.append(Held(hook.id, hook.name, count, oldest, _KEPT_BACK))
            for why, states in _by_reason(hook, plugins).items():
                owed = Delivery.hook_id == hook.id, Delivery.state.in_(states), ~kept.IS_KEPT
                count, oldest = _number(session, *owed)
                at_work = count, oldest
                if why is not None:
                    at_work = _number(session, *owed, _is_at_work(now))
                    if count > at_work[0]:
                        held.append(Held(hook.id, hook.name, count - at_work[0], oldest, why))
                if at_work[0]:
                    going.append((at_work[1], at_work[0], hook))
        if not going:
            return Leftovers(0, None, held)
        oldest, _, hook = min(going)
        number = sum(count for _, count, _ in going)
        return Leftovers(number, _standing(session.get_one(Delivery, oldest), hook, now), held)


def is_settled(plugins: Collection[str] | None = None) -> bool:
    """Whether nothing is left that goes by itself, and no worker has a lane.

    ``plugins`` are the ids of those that can be used; those of the running application, if not
    given.
    """
    if plugins is None:
        from hub.plugins import current as registry

        plugins = registry().plugins
    now = SystemClock().now()
    with reading() as session:
        if session.scalar(select(Lane.id).where(_has_worker(now)).limit(1)) is not None:
            return False
        going = [
            (Delivery.hook_id == hook.id) & Delivery.state.in_(states) & ~kept.IS_KEPT
            for hook in _hooks(session)
            if (states := _by_reason(hook, plugins).get(None))
        ]
        return session.scalar(select(Delivery.id).where(or_(False, *going)).limit(1)) is None


class _Hook(NamedTuple):
    """What is read of a hook and its breaker: not its secrets, which nobody needs here."""

    id: int
    name: str
    plugin_id: str
    enabled: bool
    status: HookStatus
    status_detail: str
    breaker: BreakerState | None
    retry_at: datetime | None


def _hooks(session: Session) -> list[_Hook]:
    columns = (Hook.id, Hook.name, Hook.plugin_id, Hook.enabled, Hook.status, Hook.status_detail)
    query = select(*columns, Breaker.state, Breaker.retry_at)
    rows = session.execute(query.outerjoin(Breaker, Breaker.hook_id == Hook.id).order_by(Hook.id))
    return [_Hook(*row) for row in rows]


def _by_reason(hook: _Hook, plugins: Collection[str]) -> dict[str | None, list[DeliveryState]]:
    """The open states by why a hook's deliveries in them wait for a person; those of ``None`` go
    by themselves."""
    found: dict[str | None, list[DeliveryState]] = {}
    for state in OPEN:
        found.setdefault(_why_held(hook, state, plugins), []).append(state)
    return found


def _why_held(hook: _Hook, state: DeliveryState, plugins: Collection[str]) -> str | None:
    if hook.plugin_id not in plugins:
        return f"its plugin {hook.plugin_id} is missing or broken"
    if not hook.enabled:
        return "it is disabled"
    if hook.status in WORKING:
        return None
    return _STOPPED[hook.status] + (f" ({hook.status_detail})" if hook.status_detail else "")


_KEPT_BACK = "kept back until it is known who the person is"
_STOPPED = {
    HookStatus.SETTING_UP: "its setup is not finished",
    HookStatus.PAUSED: "it is paused",
    HookStatus.NEEDS_ATTENTION: "it needs attention",
}


def _number(session: Session, *conditions: ColumnElement[bool]) -> tuple[int, int]:
    """How many deliveries there are, and the oldest: ids grow with time."""
    row = session.execute(
        select(func.count(Delivery.id), func.coalesce(func.min(Delivery.id), 0)).where(*conditions)
    ).one()
    return row[0], row[1]


def _has_worker(now: datetime) -> ColumnElement[bool]:
    return Lane.owner.is_not(None) & (Lane.lease_until >= now)


def _is_at_work(now: datetime) -> ColumnElement[bool]:
    """A worker has it, and ends it although its hook was stopped meanwhile."""
    lanes = select(Lane.id).where(_has_worker(now))
    return (Delivery.state == DeliveryState.RUNNING) & Delivery.lane_id.in_(lanes)


def _standing(delivery: Delivery, hook: _Hook, now: datetime) -> Going:
    """How the oldest delivery of all stands: none of its lane is before it."""
    next_try: datetime | None = max(delivery.due_at or now, hook.retry_at or now, now)
    if delivery.state == DeliveryState.RUNNING:
        progress, next_try = Progress.RUNNING, None
    elif hook.retry_at is not None and hook.retry_at > now:
        closed = hook.breaker == BreakerState.CLOSED
        progress = Progress.PAUSE if closed else Progress.BREAKER
    else:
        progress = Progress.DUE if next_try == now else Progress.BACKOFF
    return Going(delivery.id, hook.id, hook.name, progress, next_try)


def _named(hook_id: int, name: str) -> str:
    return f"connection {hook_id} ({name})"
