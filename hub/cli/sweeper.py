"""``hub sweeper``."""

from __future__ import annotations

import signal
import threading
import time

import click
from sqlalchemy.exc import SQLAlchemyError

from hub import log
from hub.cli.application import entered
from hub.cli.looking import in_sentences, require_schema
from hub.cli.serving import starts, warn_of_root
from hub.delivery.sweeper import PERIOD, Sweeper
from hub.fleet import upkeep
from hub.inbox import release
from hub.inbox.writer import StorageUnavailable

_log = log.get(__name__)


@click.command("sweeper")
@click.option("--once", is_flag=True, help="One round only.")
@starts
def sweeper(once: bool) -> None:
    """Queue lanes that have work and no worker. Several at once do no harm."""
    warn_of_root()
    stopping = threading.Event()
    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    with entered() as app:
        with in_sentences():
            require_schema()
        sweeping = Sweeper(app)
        next_upkeep = 0.0
        while True:
            sweeping.sweep()
            if time.monotonic() >= next_upkeep:
                upkeep.run()
                _release_returned()
                next_upkeep = time.monotonic() + upkeep.PERIOD
            if once or stopping.wait(PERIOD):
                return


def _release_returned() -> None:
    try:
        release.release_returned()
    except (SQLAlchemyError, StorageUnavailable) as error:
        _log.error("held requests wait: the database is not available", error=str(error))
