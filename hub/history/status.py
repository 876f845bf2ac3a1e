"""The current status in figures. Reads only open and dead deliveries, never the whole history."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from hub import clock, services
from hub.database import reading, table_of, to_microseconds
from hub.delivery import kept
from hub.history.standing import shown_status
from hub.models import OPEN, Breaker, Delivery, DeliveryState, Event, Hook, Lane
from hub.queue.alive import live_workers
from hub.queue.owners import process_of
from hub.services import registry

_hooks, _breakers, _deliveries = (table_of(kind).c for kind in (Hook, Breaker, Delivery))
_HOOK = _hooks["id", "account_id", "name", "plugin_id", "enabled", "status", "status_detail"]


@dataclass(frozen=True, slots=True)
class Hour:
    """The deliveries of one hour, by their state now."""

    begin: datetime
    done: int
    dead: int
    open: int


def overview(
    account_id: int | None = None, *, plugins: Collection[str] | None = None
) -> dict[str, Any]:
    """Open deliveries, dead letters, workers, and every hook in a line; of one account, or all.

    ``plugins`` are the ids of those that can be used; those of the running application, if not
    given.
    """
    usable = registry().plugins if plugins is None else plugins
    # Columns, not objects: that reads no secrets, and saves a command setting up the mapping.
    query = select(*_HOOK, _breakers.state.label("breaker")).order_by(_hooks.id)
    query = query.outerjoin_from(table_of(Hook), table_of(Breaker), _breakers.hook_id == _hooks.id)
    if account_id is not None:
        query = query.where(_hooks.account_id == account_id)
    with reading() as session:
        hooks = session.execute(query).all()
        open_by_hook: dict[tuple[int, str], int] = {}
        dead_by_hook: dict[int, int] = {}
        kept_by_hook: dict[int, int] = {}
        oldest: datetime | None = None
        # One query for each hook and state: an index answers it, however long the history is.
        for hook in hooks:
            dead_by_hook[hook.id] = _number(session, hook.id, DeliveryState.DEAD)
            for state in OPEN:
                open_by_hook[hook.id, state] = _number(session, hook.id, state)
            kept_by_hook[hook.id], _ = kept.of_hook(session, hook.id)
            open_by_hook[hook.id, DeliveryState.WAITING] -= kept_by_hook[hook.id]
            first = _oldest(session, hook.id)
            oldest = min(filter(None, (oldest, first)), default=None)
    waiting = sum(n for (_, state), n in open_by_hook.items() if state != DeliveryState.RUNNING)
    try:
        workers = len(live_workers(services.stores().redis))
    except RedisError:
        workers = 0
    return {
        "waiting": waiting,
        "running": sum(open_by_hook.values()) - waiting,
        "kept_back": sum(kept_by_hook.values()),
        "dead": sum(dead_by_hook.values()),
        "oldest_waiting_seconds": round((clock.now() - oldest).total_seconds(), 1)
        if oldest
        else None,
        "workers": workers,
        "hooks": [
            {
                "id": hook.id,
                "account_id": hook.account_id,
                "name": hook.name,
                "plugin": hook.plugin_id,
                "enabled": hook.enabled,
                "status": shown_status(hook.plugin_id, hook.status, usable),
                "detail": hook.status_detail,
                "breaker": hook.breaker.value if hook.breaker else "closed",
                "open": sum(n for (hook_id, _), n in open_by_hook.items() if hook_id == hook.id),
                "kept_back": kept_by_hook[hook.id],
                "dead": dead_by_hook.get(hook.id, 0),
            }
            for hook in hooks
        ],
    }


def last_hours(account_id: int, hours: int = 24) -> list[Hour]:
    """The deliveries of the last hours by their state now, oldest hour first."""
    now = clock.now()
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    hour = 3_600 * 1_000_000
    bucket = type_coerce(Delivery.created_at, BigInteger) // hour
    with reading() as session:
        # Ids grow with time: the first event of these hours bounds what is read.
        first = session.scalar(
            select(Event.id).where(Event.received_at >= begin).order_by(Event.received_at).limit(1)
        )
        rows = (
            session.execute(
                select(bucket.label("bucket"), Delivery.state, func.count().label("number"))
                .where(
                    Delivery.event_id >= first,
                    Delivery.hook_id.in_(select(Hook.id).where(Hook.account_id == account_id)),
                )
                .group_by("bucket", Delivery.state)
            ).all()
            if first is not None
            else []
        )
    counted: dict[tuple[int, str], int] = {}
    for row in rows:
        kind = (
            "open" if row.state in OPEN else "dead" if row.state == DeliveryState.DEAD else "done"
        )
        key = (int(row.bucket), kind)
        counted[key] = counted.get(key, 0) + row.number
    return [
        Hour(
            moment,
            *(
                counted.get((to_microseconds(moment) // hour, kind), 0)
                for kind in ("done", "dead", "open")
            ),
        )
        for moment in (begin + timedelta(hours=number) for number in range(hours))
    ]


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker process, and the lanes of one account that it works on."""

    name: str
    lanes: list[tuple[Hook, Lane]]


@dataclass(frozen=True, slots=True)
class Backlog:
    """The open deliveries of one hook, and its circuit breaker."""

    hook: Hook
    breaker: Breaker | None
    lanes: int
    oldest: datetime | None


def workers(account_id: int) -> list[WorkerView]:
    """The live workers, with their lanes of this account only."""
    try:
        alive = live_workers(services.stores().redis)
    except RedisError:
        alive = []
    with reading() as session:
        rows = session.execute(
            select(Hook, Lane)
            .join(Lane, Lane.hook_id == Hook.id)
            .where(Lane.owner.is_not(None), Hook.account_id == account_id)
            .order_by(Lane.id)
        ).all()
    return [
        WorkerView(
            name, [(row[0], row[1]) for row in rows if process_of(row[1].owner or "") == name]
        )
        for name in sorted(alive)
    ]


def backlog(account_id: int) -> list[Backlog]:
    """The open deliveries of each hook of the account."""
    with reading() as session:
        rows = session.execute(
            select(Hook, Breaker)
            .outerjoin(Breaker, Breaker.hook_id == Hook.id)
            .where(Hook.account_id == account_id)
            .order_by(Hook.id)
        ).all()
        return [
            Backlog(hook, breaker, _lanes(session, hook.id), _oldest(session, hook.id))
            for hook, breaker in rows
        ]


def _lanes(session: Session, hook_id: int) -> int:
    """The number of lanes with open deliveries."""
    query = select(func.count()).where(
        Lane.hook_id == hook_id, Lane.due_at.is_not(None), Lane.key != kept.LANE_KEY
    )
    return session.scalar(query.select_from(Lane)) or 0


def _number(session: Session, hook_id: int, state: DeliveryState) -> int:
    query = select(func.count()).where(_deliveries.hook_id == hook_id, _deliveries.state == state)
    return session.scalar(query.select_from(table_of(Delivery))) or 0


def _oldest(session: Session, hook_id: int) -> datetime | None:
    """When the hook's oldest open delivery was created, without those that are kept back."""
    first = [
        session.execute(
            select(_deliveries.id, _deliveries.created_at)
            .where(_deliveries.hook_id == hook_id, _deliveries.state == state, ~kept.IS_KEPT)
            .order_by(_deliveries.id)
            .limit(1)
        ).one_or_none()
        for state in OPEN
    ]
    oldest = min((row for row in first if row is not None), default=None)
    return None if oldest is None else oldest.created_at
