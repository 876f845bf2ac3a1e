"""How things stand, in figures. Reads only what is open, never the history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import and_, func, or_, select

from hub.clock import SystemClock
from hub.database import reading
from hub.models import OPEN, WORKING, Breaker, Delivery, DeliveryState, Hook, Lane
from hub.plugins import current as registry
from hub.queue import connection
from hub.queue.jobs import live_workers


def overview() -> dict[str, Any]:
    """Open deliveries, dead letters, workers, and every hook in a line."""
    with reading() as session:
        open_by_hook = {
            (row.hook_id, row.state): row.number
            for row in session.execute(
                select(Delivery.hook_id, Delivery.state, func.count().label("number"))
                .where(Delivery.state.in_(OPEN))
                .group_by(Delivery.hook_id, Delivery.state)
            )
        }
        dead_by_hook = {
            row.hook_id: row.number
            for row in session.execute(
                select(Delivery.hook_id, func.count().label("number"))
                .where(Delivery.state == DeliveryState.DEAD)
                .group_by(Delivery.hook_id)
            )
        }
        oldest = session.scalar(
            select(func.min(Delivery.created_at)).where(Delivery.state.in_(OPEN))
        )
        hooks = session.execute(
            select(Hook, Breaker).outerjoin(Breaker, Breaker.hook_id == Hook.id).order_by(Hook.id)
        ).all()
    waiting = sum(n for (_, state), n in open_by_hook.items() if state != DeliveryState.RUNNING)
    try:
        workers = len(live_workers(connection.current()))
    except RedisError:
        workers = 0
    return {
        "waiting": waiting,
        "running": sum(open_by_hook.values()) - waiting,
        "dead": sum(dead_by_hook.values()),
        "oldest_waiting_seconds": round((SystemClock().now() - oldest).total_seconds(), 1)
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
                "status": hook.status.value
                if hook.plugin_id in registry().plugins
                else "plugin_missing",
                "detail": hook.status_detail,
                "breaker": breaker.state.value if breaker else "closed",
                "open": sum(n for (hook_id, _), n in open_by_hook.items() if hook_id == hook.id),
                "dead": dead_by_hook.get(hook.id, 0),
            }
            for hook, breaker in hooks
        ],
    }


def is_settled(horizon: float = 0.0) -> bool:
    """Whether no delivery is running, or due within ``horizon`` seconds.

    What waits for a hook to be mended is not due.
    """
    now = SystemClock().now() + timedelta(seconds=horizon)
    with reading() as session:
        due = session.scalar(
            select(Lane.id)
            .join(Hook, Hook.id == Lane.hook_id)
            .outerjoin(Breaker, Breaker.hook_id == Hook.id)
            .where(
                or_(
                    Lane.owner.is_not(None),
                    and_(
                        Lane.due_at <= now,
                        Hook.enabled,
                        Hook.status.in_(WORKING),
                        or_(Breaker.retry_at.is_(None), Breaker.retry_at <= now),
                    ),
                )
            )
            .limit(1)
        )
    return due is None
