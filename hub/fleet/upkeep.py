"""Upkeep: what the sweeper's process does now and then beside sweeping."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from hub import log
from hub.accounts import hooks

#: Seconds between two rounds.
PERIOD = 60.0

_log = log.get(__name__)


def run() -> None:
    """Sign out of remote sessions that nobody has used for long."""
    try:
        for hook in hooks.listed():
            hooks.close_idle_sessions(hook)
    except SQLAlchemyError as error:
        _log.error("upkeep waits: the database is not available", error=str(error))
