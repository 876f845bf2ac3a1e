"""Upkeep: what the sweeper's process does now and then beside sweeping."""

from __future__ import annotations

import time

from sqlalchemy.exc import SQLAlchemyError

from hub import log, services
from hub.accounts import hooks
from hub.history.prune import (
    Pruning,
    older_than,
)

#: Seconds between two rounds.
PERIOD = 60.0
#: Batches of old history that go in one round, with a pause for others after each.
BATCHES = 10
PAUSE = 0.1

_log = log.get(__name__)


def run() -> None:
    """Sign out of remote sessions that nobody has used for long, and prune old history."""
    policies = services.current().config.policies
    try:
        for hook in hooks.readable():
            hooks.close_idle_sessions(hook)
        prune(older_than(policies.history.keep.total_seconds()))
    except SQLAlchemyError as error:
        _log.error("upkeep waits: the database is not available", error=str(error))


def prune(pruning: Pruning) -> int:
    """Prune a few batches; returns how many events went. The next round goes on."""
    gone = 0
    for _ in range(BATCHES):
        step = pruning.step()
        if step is None:
            break
        gone += step
        time.sleep(PAUSE)
    if gone:
        _log.info("pruned old history", events=gone)
    return gone
