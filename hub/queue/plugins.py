"""Which plugins can be used, for who does not load them: the fleet tells, through Redis."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from redis import Redis
from redis.exceptions import RedisError

from hub.queue.connection import PREFIX

#: The ids that the sweeper has loaded, with spaces between them.
KEY = f"{PREFIX}:plugins"
#: Seconds after which a fleet that was stopped is believed no longer.
TTL = 60


def tell(redis: Redis, plugin_ids: Iterable[str]) -> None:
    """The fleet can use these.

    :raises RedisError: Redis cannot be reached.
    """
    redis.set(KEY, " ".join(sorted(plugin_ids)), ex=TTL)


def usable(redis: Redis) -> frozenset[str]:
    """The ids of those that the running fleet can use; without a fleet, of all installed ones, of
    which some may be broken."""
    try:
        told: bytes | None = redis.get(KEY)  # type: ignore[assignment]
    except RedisError:
        told = None
    return installed() if told is None else frozenset(told.decode().split())


def installed() -> frozenset[str]:
    """The ids of all installed ones."""
    return frozenset(entry.name for entry in entry_points(group="hub.plugins"))
