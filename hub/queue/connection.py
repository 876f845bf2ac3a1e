"""The connection to Redis."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hub.config import Config

#: All keys carry this tag, so that a clustered Redis keeps them in one slot.
PREFIX = "{hub}"
#: Seconds after which Redis counts as down. Accepting never waits for it longer than this.
TIMEOUT = 2.0


def connect(config: Config) -> Redis:
    """A client that connects on first use. It fails fast, since the hub can go on without Redis."""
    return Redis.from_url(
        _url(config),
        socket_connect_timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )


def connect_blocking(config: Config) -> Redis:
    """A client whose reads may block for long: a worker waits for its next job."""
    return Redis.from_url(_url(config), socket_connect_timeout=TIMEOUT)


def _url(config: Config) -> str:
    return config.redis_url or f"unix://{config.redis_socket}"
