"""Which plugins can be used. The fleet writes it into Redis, for processes that load no plugins."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points

from redis import Redis
from redis.exceptions import RedisError

from hub.queue.connection import PREFIX

#: The ids of the plugins that the sweeper has loaded, separated by spaces.
KEY = f"{PREFIX}:plugins"
#: Seconds after which the word of a stopped fleet expires.
TTL = 60


def tell(redis: Redis, plugin_ids: Iterable[str]) -> None:
    """Write down which plugins the fleet can use.

    :raises RedisError: Redis cannot be reached.
    """
    redis.set(KEY, " ".join(sorted(plugin_ids)), ex=TTL)


def usable(redis: Redis) -> frozenset[str]:
    """The ids of the plugins that the running fleet can use. Without a fleet: of all installed
    plugins, some of which may be broken."""
    try:
        told: bytes | None = redis.get(KEY)  # type: ignore[assignment]
    except RedisError:
        told = None
    return installed() if told is None else frozenset(told.decode().split())


def installed() -> frozenset[str]:
    """The ids of all installed plugins."""
    return frozenset(entry.name for entry in entry_points(group="hub.plugins"))
