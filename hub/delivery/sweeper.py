"""The sweeper: finds every lane that has work and no worker, and queues it again.

It may run anywhere and many times at once: what it does twice has no effect twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hub import log, services
from hub.database import in_transaction, reading
from hub.delivery.turned_back import bring_back
from hub.models import WORKING, Breaker, Hook, Lane
from hub.queue import plugins
from hub.queue.announce import Announcer
from hub.queue.connection import PREFIX
from hub.queue.ready import ReadyLane, ReadyLanes

#: Seconds between two rounds.
PERIOD = 0.5
#: Seconds after which a lane that was queued and not taken counts as forgotten.
FORGOTTEN = 30.0
#: Lanes queued in one round for one hook at most; the next round takes the next.
MOST = 1_000
#: Which run of the Redis server was told everything last.
_MARK = f"{PREFIX}:swept"

_log = log.get(__name__)


class _WorkingHook(NamedTuple):
    id: int
    plugin_id: str
    concurrency: int | None


class Sweeper:
    """Sweeps, round by round."""

    def __init__(self, app: Flask) -> None:
        self._redis = services.of(app).redis
        self._registry = services.of(app).registry
        self._ready = ReadyLanes(self._redis)
        self._announcer = Announcer(self._redis)
        self._clock = services.of(app).clock
        config = services.of(app).config
        self._policies = config.policies
        #: The time of the round before.
        self._seen_at: datetime | None = None

    def sweep(self) -> int:
        """One round; returns the number of lanes that were queued. Needs an app context."""
        try:
            server = str(self._redis.info("server")["run_id"])
            wiped = self._was_wiped(server)
            if wiped:
                self._announcer.start_anew()
            plugins.tell(self._redis, self._registry.plugins)
            self._look_at_the_clock()
            hooks = self._working_hooks()
            self._ready.set_limits({hook.id: self._limit(hook) for hook in hooks})
            lanes = [lane for hook in hooks for lane in self._queue_lanes_of(hook, wiped)]
            self._announcer.push(lanes)
            self._announcer.remind()
            if wiped:
                _log.info("Redis starts anew; what is due was queued again", lanes=len(lanes))
                self._redis.set(_MARK, server)
            return len(lanes)
        except RedisError as error:
            _log.warning("Redis is not available; lanes wait", error=str(error))
        except DBAPIError as error:
            _log.error("the database is not available; lanes wait", error=str(error.orig))
        return 0

    def _look_at_the_clock(self) -> None:
        """As the sweeper begins, and when its clock has gone back: see ``turned_back``."""
        now = self._clock.now()
        if self._seen_at is None or now < self._seen_at:
            order, breaker = self._policies.order, self._policies.breaker
            lanes = in_transaction(lambda session: bring_back(session, now, order, breaker))
            if lanes:
                _log.warning("a clock was ahead; what it put off is due", lanes=lanes)
        self._seen_at = now

    def _was_wiped(self, server: str) -> bool:
        """Whether Redis lost what it knew: emptied, or started anew without its last second."""
        mark: Any = self._redis.get(_MARK)
        return mark is None or mark.decode() != server

    def _working_hooks(self) -> Sequence[_WorkingHook]:
        """Hooks whose deliveries may be worked on now. Their secrets are not read: one that cannot
        be read must not hold up the others."""
        now = self._clock.now()
        query = (
            select(Hook.id, Hook.plugin_id, Hook.concurrency)
            .outerjoin(Breaker, Breaker.hook_id == Hook.id)
            .where(
                Hook.enabled,
                Hook.status.in_(WORKING),
                or_(Breaker.retry_at.is_(None), Breaker.retry_at <= now),
            )
        )
        with reading() as session:
            found = [_WorkingHook._make(row) for row in session.execute(query)]
        return [hook for hook in found if hook.plugin_id in self._registry.plugins]

    def _limit(self, hook: _WorkingHook) -> int:
        return hook.concurrency or self._registry.plugins[hook.plugin_id].concurrency

    def _queue_lanes_of(self, hook: _WorkingHook, wiped: bool) -> list[ReadyLane]:
        now = self._clock.now()
        with reading() as session:
            # A round that finds nothing must not wait for writers, nor make them wait.
            if session.scalar(_due(hook.id, now, wiped).limit(1)) is None:
                return []
        return in_transaction(lambda session: _mark_queued(session, hook.id, now, wiped))


def _due(hook_id: int, now: datetime, wiped: bool) -> Select[int]:
    """The lanes of a hook that have work due, no worker, and are not in Redis."""
    a_while = timedelta(seconds=FORGOTTEN)
    forgotten = now if wiped else now - a_while
    # Those that are due in a moment were put into Redis before.
    due = Lane.due_at <= now
    return (
        select(Lane.id)
        .where(
            Lane.hook_id == hook_id,
            or_(due, and_(Lane.due_at.is_not(None), Lane.queued_at.is_not(None))) if wiped else due,
            # In the future: by a clock that was ahead.
            or_(
                Lane.queued_at.is_(None),
                Lane.queued_at <= forgotten,
                Lane.queued_at > now + a_while,
            ),
            or_(Lane.owner.is_(None), Lane.lease_until < now),
        )
        .order_by(Lane.due_at)
    )


def _mark_queued(session: Session, hook_id: int, now: datetime, wiped: bool) -> list[ReadyLane]:
    due = _due(hook_id, now, wiped).limit(MOST).scalar_subquery()
    lanes = session.execute(
        update(Lane).where(Lane.id.in_(due)).values(queued_at=now).returning(Lane.id, Lane.due_at)
    )
    return [
        ReadyLane(hook_id, lane.id, lane.due_at if lane.due_at > now else None) for lane in lanes
    ]
