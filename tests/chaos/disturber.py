"""What goes wrong while the hub works, in an order that the seed decides."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import RedisError

from hub.config import Config
from hub.queue import embedded
from tests.support.installation import RunningHub


class RedisServer:
    """A Redis beside the hub, so that it can be away while the hub runs."""

    def __init__(self, folder: Path) -> None:
        config = Config.from_environment({"HUB_DATA_DIR": str(folder)})
        self._command = embedded.server_command(config)
        self._socket = config.redis_socket
        self.url = f"unix://{config.redis_socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wipe(self) -> None:
        try:
            Redis(unix_socket_path=str(self._socket)).flushall()
        except RedisError:
            return  # it has just been started and does not listen yet


class Disturber(threading.Thread):
    """Disturbs until it is told to stop; ``done`` counts what it did."""

    def __init__(self, hub: RunningHub, redis: RedisServer, seed: int, *, lease: float) -> None:
        super().__init__(name="disturber")
        self._hub = hub
        self._redis = redis
        self._rng = random.Random(seed)
        self._lease = lease
        self._stopping = threading.Event()
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Called by the thread."""
        deeds: dict[str, tuple[int, Callable[[], None]]] = {
            "worker killed": (6, self._kill_worker),
            "worker paused for longer than its lease": (3, self._pause_worker),
            "Redis wiped": (2, self._redis.wipe),
            "Redis killed and started again": (1, self._restart_redis),
            "sweeper killed": (1, lambda: self._kill_one("sweeper")),
            "web server killed": (1, lambda: self._kill_one("web")),
        }
        names = list(deeds)
        weights = [weight for weight, _ in deeds.values()]
        # Everything happens once, then whatever chance brings.
        queue = names.copy()
        self._rng.shuffle(queue)
        try:
            while not self._stopping.wait(self._rng.uniform(0.3, 2.0)):
                name = queue.pop() if queue else self._rng.choices(names, weights)[0]
                deeds[name][1]()
                self.done[name] += 1
        except BaseException as failure:
            self.failure = failure

    def stop(self) -> None:
        """End the last disturbance, and no more."""
        self._stopping.set()
        self.join()
        if self.failure is not None:
            raise self.failure

    def _kill_worker(self) -> None:
        self._kill_one("worker-process")

    def _kill_one(self, command: str) -> None:
        victim = self._choose(command)
        if victim is not None:
            os.kill(victim.pid, signal.SIGKILL)

    def _pause_worker(self) -> None:
        victim = self._choose("worker-process")
        if victim is None:
            return
        os.kill(victim.pid, signal.SIGSTOP)
        time.sleep(self._lease * 1.5)
        if victim.is_running():
            os.kill(victim.pid, signal.SIGCONT)

    def _restart_redis(self) -> None:
        self._redis.kill()
        time.sleep(self._rng.uniform(0.2, 2.0))
        self._redis.start()

    def _choose(self, command: str) -> psutil.Process | None:
        found = self._hub.processes(command)
        return self._rng.choice(found) if found else None
