"""The parts of the running application: its database, its Redis, its keys.

With Flask they are the extensions of the current application. A command that only looks enters its
few parts without Flask, which takes as long to load as Redis' client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_alone: ContextVar[Mapping[str, Any] | None] = ContextVar("parts without Flask", default=None)


def part(name: str) -> Any:
    """The part of this name, such as ``hub.redis``."""
    alone = _alone.get()
    if alone is not None:
        return alone[name]
    from flask import current_app

    return current_app.extensions[name]


@contextmanager
def running(parts: Mapping[str, Any]) -> Iterator[None]:
    """In this block these are the parts, whatever application is entered."""
    token = _alone.set(parts)
    try:
        yield
    finally:
        _alone.reset(token)
