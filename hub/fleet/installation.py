"""A whole hub on one machine: the processes of ``hub up``, in the order in which they need
each other."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from redis.exceptions import RedisError

from hub import log
from hub.config import Config
from hub.fleet import door, orphan
from hub.fleet.supervisor import Child, Supervisor, hub_command
from hub.queue import embedded
from hub.queue.connection import connect

#: Seconds that the embedded Redis may take to start.
REDIS_START = 20.0
#: Seconds for which what a killed hub left behind may take to end: its supervisors, then what they
#: watch over.
ORPHANS = 2 * orphan.GRACE + 10.0
#: Seconds before the web server is started again, at most: its callers wait for five.
DOOR_PAUSE = 0.8
#: Seconds that each has to finish its work when told to stop, one after the other. What it has
#: started itself has less: worker processes 45, requests in the web server 30.
GRACES = {"redis": 10.0, "web": 35.0, "workers": 55.0, "sweeper": 10.0}

_log = log.get(__name__)


class Busy(Exception):
    """Another hub runs in this data dir."""


class Installation:
    """The processes of one hub."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.supervisor = Supervisor()
        self._lock: int | None = None

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Hold the data dir's lock. All our processes but Redis hold it, too: after a hub was
        killed, this waits until what it left behind has ended.

        :raises Busy: another hub holds it.
        """
        with (self._config.data_dir / "hub.lock").open("a+") as lock:
            self._lock = lock.fileno()
            give_up = time.monotonic() + ORPHANS
            said = False
            while not _locked(lock):
                if _holder_lives(lock) or time.monotonic() > give_up:
                    raise Busy(
                        f"Another hub runs in {self._config.data_dir}. Stop it, or set "
                        "HUB_DATA_DIR."
                    )
                if not said:
                    _log.warning("waiting for the processes that a killed hub has left behind")
                said = True
                time.sleep(0.1)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def start(self, opened: Sequence[socket.socket], processes: int, threads: int) -> None:
        """Start all children. ``hub prepare`` has run before; the door is ``opened``."""
        if self._config.redis_url is None:
            self._start_redis()
        self._add("web", "web", longest_pause=DOOR_PAUSE, opened=opened)
        numbers = ("--processes", str(processes), "--threads", str(threads))
        self._add("workers", "worker", "--prepared", *numbers)
        self._add("sweeper", "sweeper")

    def _add(
        self,
        name: str,
        *command: str,
        longest_pause: float | None = None,
        opened: Sequence[socket.socket] = (),
    ) -> None:
        inherits, environment = [one.fileno() for one in opened], door.passed_on(opened)
        if self._lock is not None:
            inherits.append(self._lock)
            environment[orphan.HELD] = str(self._lock)
        self.supervisor.add(
            Child(
                name,
                hub_command(*command),
                environment=environment,
                inherits=inherits,
                longest_pause=longest_pause,
                grace=GRACES[name],
                vital=name == "web",
            )
        )

    def run(self) -> None:
        """Watch over the children until told to stop."""
        self.supervisor.stop_on_signals()
        self.supervisor.run()

    def _start_redis(self) -> None:
        self._stop_orphaned_redis()
        redis = embedded.server_command(self._config)
        self.supervisor.add(Child("redis", redis, grace=GRACES["redis"]))
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


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder_lives(lock: TextIO) -> bool:
    """Whether the hub lives that took the lock, and not only what it has left behind."""
    lock.seek(0)
    told = lock.read()
    # In a container each hub has the same number: then it is not known.
    if not told.isdecimal() or int(told) == os.getpid():
        return not told
    try:
        os.kill(int(told), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
