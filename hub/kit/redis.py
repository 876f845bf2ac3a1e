"""A Redis server for tests: the hub's embedded one, in a folder of its own."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from hub.config import Config
from hub.queue import embedded
from hub.queue.connection import connect

#: Seconds that it may take to start.
START = 20.0


@contextmanager
def running_redis() -> Iterator[str]:
    """Its URL, for ``HUB_REDIS_URL``."""
    # A short path: the name of a Unix socket may have 107 characters only.
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        config = Config.from_environment({"HUB_DATA_DIR": str(Path(folder))})
        server = subprocess.Popen(embedded.server_command(config))
        client = connect(config)
        try:
            _wait_for(client)
            yield f"unix://{config.redis_socket}"
        finally:
            client.close()
            server.terminate()
            server.wait()


def _wait_for(client: redis.Redis) -> None:
    give_up = time.monotonic() + START
    while True:
        try:
            client.ping()
            return
        except redis.exceptions.ConnectionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
