"""Gunicorn with the settings that the hub ships, and that the benchmarks use."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from hub.fleet.door import BACKLOG
from hub.fleet.front import CONNECTIONS

#: Processes and threads: two processes use two cores; the threads wait for commits, and each new
#: connection holds one until its first byte.
PROCESSES = 2
THREADS = 64
#: Seconds for which a thread keeps the interpreter from others; Python's own default is 0.005.
SWITCH_INTERVAL = 0.0005


def options(
    host: str,
    port: int,
    processes: int = PROCESSES,
    threads: int = THREADS,
    door: Sequence[int] = (),
) -> dict[str, Any]:
    """Gunicorn's settings. ``door``: the sockets to listen at, where they are open already."""
    return {
        "bind": [f"fd://{number}" for number in door] or f"{host}:{port}",
        "worker_class": "hub.fleet.front.FrontWorker",
        "workers": processes,
        "threads": threads,
        "worker_connections": 2 * CONNECTIONS,
        "keepalive": 15,
        "timeout": 60,
        "graceful_timeout": 30,
        "backlog": BACKLOG,
        # It would wait without an end for a client that does not read.
        "sendfile": False,
        "accesslog": None,
        "loglevel": "warning",
        "control_socket_disable": True,
    }


class CannotServe(Exception):
    """The application cannot be loaded; the log says why."""


class Server(BaseApplication):  # type: ignore[misc]
    """Serves the application that ``make_app`` gives; each process makes its own."""

    def __init__(self, make_app: Callable[[], Flask], settings: dict[str, Any]) -> None:
        self._make_app = make_app
        self._settings = settings
        super().__init__()

    def run(self) -> None:
        """Serve until told to stop.

        :raises CannotServe: no process can start.
        """
        arbiter, us = Arbiter(self), os.getpid()
        # A socket that was given to us is not ours to remove, as gunicorn would a Unix socket.
        arbiter.systemd = self._settings["bind"][0].startswith("fd://")
        try:
            arbiter.run()
        except (SystemExit, HaltServer) as end:
            code = end.code if isinstance(end, SystemExit) else end.exit_status
            # A worker, which is a fork in there, tells its server by the same codes.
            cannot = code in (Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR)
            if cannot and os.getpid() == us:
                raise CannotServe(
                    "The web server cannot load the application; the log says why."
                ) from end
            raise

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called by gunicorn in each process."""
        app = self._make_app()
        # What is loaded now stays; a full collection that looks through it stops all requests.
        gc.freeze()
        # The thread that commits for all must not wait behind each of them for the interpreter.
        sys.setswitchinterval(SWITCH_INTERVAL)
        return app
