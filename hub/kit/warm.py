"""What a warm process keeps ready: the plugins, found and imported once."""

from __future__ import annotations

from functools import cache

from sqlalchemy.orm import configure_mappers

from hub.plugins import Registry


@cache
def registry() -> Registry:
    """The installed plugins."""
    return Registry.discover()


registry()
configure_mappers()
