"""A whole hub on one machine: the processes of ``hub up``, in the order in which they need
each other."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from redis.exceptions import RedisError

from hub import log
from hub.config import Config
from hub.fleet import door
from hub.fleet.supervisor import Child, Supervisor, hub_command
from hub.queue import embedded
from hub.queue.connection import connect

#: Seconds that the embedded Redis may take to start.
REDIS_START = 20.0
#: Seconds before the web server is started again, at most: its callers wait for five.
DOOR_PAUSE = 0.8

_log = log.get(__name__)


class Busy(Exception):
    """Another hub runs in this data dir."""


class Installation:
    """The processes of one hub."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.supervisor = Supervisor()

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Hold the data dir's lock.

        :raises Busy: another hub holds it.
        """
        with (self._config.data_dir / "hub.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy(
                    f"Another hub runs in {self._config.data_dir}. Stop it, or set HUB_DATA_DIR."
                ) from error
            yield

    def start(self, opened: Sequence[socket.socket], processes: int, threads: int) -> None:
        """Start all children. ``hub prepare`` has run before; the door is ``opened``."""
        if self._config.redis_url is None:
            self._start_redis()
        self.supervisor.add(
            Child(
                "web",
                hub_command("web"),
                environment=door.passed_on(opened),
                inherits=[socket.fileno() for socket in opened],
                longest_pause=DOOR_PAUSE,
            )
        )
        numbers = ("--processes", str(processes), "--threads", str(threads))
        self.supervisor.add(Child("workers", hub_command("worker", "--prepared", *numbers)))
        self.supervisor.add(Child("sweeper", hub_command("sweeper")))

    def run(self) -> None:
        """Watch over the children until told to stop."""
        self.supervisor.stop_on_signals()
        self.supervisor.run()

    def _start_redis(self) -> None:
        self._stop_orphaned_redis()
        self.supervisor.add(Child("redis", embedded.server_command(self._config)))
        client = connect(self._config)
        give_up = time.monotonic() + REDIS_START
        while True:
            try:
                client.ping()
                return
            except RedisError as error:
                if time.monotonic() > give_up:
                    self.supervisor.stop_children()
                    raise Busy("The embedded Redis server does not start.") from error
                time.sleep(0.05)

    def _stop_orphaned_redis(self) -> None:
        """A server of a hub that was killed. We hold the lock, so nobody else uses it."""
        if not self._config.redis_socket.exists():
            return
        try:
            connect(self._config).shutdown()
            _log.warning("stopped a Redis server that an earlier hub left behind")
        except RedisError:
            os.unlink(self._config.redis_socket)
