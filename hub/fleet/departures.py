"""What a worker leaves behind: leases when it died, sessions when it was the last."""

from __future__ import annotations

import os

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub import log, services
from hub.accounts import hooks
from hub.database import in_transaction
from hub.delivery import lanes
from hub.fleet.supervisor import PREDECESSOR
from hub.models import Lane
from hub.queue import owners
from hub.queue.alive import live_workers
from hub.queue.announce import Announcer
from hub.queue.mutex import Mutexes, lane_key
from hub.queue.ready import ReadyLanes

_log = log.get(__name__)


def end_leases_of_predecessor(app: Flask) -> None:
    """If this worker replaces one that died, free what that one held."""
    if pid := os.environ.get(PREDECESSOR):
        end_leases(app, int(pid))


def end_leases(app: Flask, pid: int) -> None:
    """A worker died: its lanes go on at once, without waiting for their leases to end."""
    prefix = owners.beginning_of(pid)

    def work(session: Session) -> list[tuple[str, str]]:
        owned = session.execute(
            select(Lane.hook_id, Lane.id, Lane.owner).where(
                Lane.owner.startswith(prefix, autoescape=True)
            )
        ).all()
        lanes.release_all_of(session, prefix)
        return [(lane_key(row.hook_id, row.id), row.owner or "") for row in owned]

    with app.app_context():
        try:
            owned = in_transaction(work)
        except SQLAlchemyError as error:
            _log.error("a dead worker's leases end by themselves", error=str(error))
            return
        _log.warning("worker died; its lanes go on", worker=prefix, lanes=len(owned))
        mutexes = Mutexes(services.of(app).redis, 1.0)
        try:
            for key, owner in owned:
                mutexes.release(key, owner)
            taken = ReadyLanes(services.of(app).redis).free_slots_of(prefix)
            Announcer(services.of(app).redis).push(taken)
        except RedisError:
            _log.warning("Redis is not available; slots and mutexes expire by themselves")


def sign_out_if_last(app: Flask) -> None:
    """End the remote sessions if no worker of the fleet is left that could use them."""
    try:
        if live_workers(services.of(app).redis):
            return
    except RedisError:
        return
    with app.app_context():
        for hook in hooks.readable():
            hooks.close_sessions(hook, lent_too=True)
