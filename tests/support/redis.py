"""A Redis server of a test's own, which can be killed and come back."""

from __future__ import annotations

import subprocess
import tempfile
import time
from types import TracebackType
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from hub.config import Config
from hub.queue import embedded


class RedisServer:
    """The hub's embedded server, in a folder of its own."""

    def __enter__(self) -> Self:
        # A short path: the name of a Unix socket may have 107 characters only.
        self._folder = tempfile.TemporaryDirectory(prefix="hub-")
        config = Config.from_environment({"HUB_DATA_DIR": self._folder.name})
        self._command = embedded.server_command(config)
        self.client = Redis(unix_socket_path=str(config.redis_socket))
        self.url = f"unix://{config.redis_socket}"
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        self.client.close()
        self._folder.cleanup()

    def start(self) -> None:
        """Return when it answers."""
        self._process = subprocess.Popen(self._command)
        give_up = time.monotonic() + 120
        while True:
            try:
                self.client.ping()
                return
            except RedisError:
                assert time.monotonic() < give_up, "Redis does not start"
                time.sleep(0.02)

    def kill(self) -> None:
        """Without a chance to write anything down."""
        self._process.kill()
        self._process.wait()
