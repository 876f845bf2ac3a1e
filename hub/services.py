"""What the running application has: its configuration, database, Redis, clock, keys, plugins.

``create_app`` makes the services once. Whoever is handed the application asks ``of`` for them; code
that runs in an application's context, or in that of a command without Flask, asks ``current``.
Rooms below this one know nothing of it: database, security and clock each hold what is current of
theirs, and it is set here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis

from hub import clock as clocks
from hub.config import Config
from hub.database import engine
from hub.database.engine import Database
from hub.security import encryption

# A command that only looks needs none of these, and they take several times as long to load.
if TYPE_CHECKING:
    from flask import Flask

    from hub.outbound.guard import OutboundGuard
    from hub.outbound.transport import Transports
    from hub.plugins import Registry
    from hub.sdk.context import Clock
    from hub.security.encryption import Keyring

#: The key under which Flask keeps them.
_KEY = "hub"

Single = TypeVar("Single")


@dataclass(frozen=True, eq=False)
class Stores:
    """What every command needs, also one that only looks."""

    config: Config
    clock: Clock
    database: Database
    redis: Redis

    def close(self) -> None:
        """Close the connections. Others are opened when they are needed."""
        self.database.engine.dispose()
        self.redis.close()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """In this block these are the current ones."""
        _enter(self)
        try:
            yield
        finally:
            _leave()


@dataclass(frozen=True, eq=False)
class Services(Stores):
    """What the application has besides: what leaves the hub, its plugins and its keys."""

    guard: OutboundGuard
    transports: Transports
    registry: Registry
    keyring: Keyring
    _singles: dict[Callable[[Services], Any], Any] = field(default_factory=dict, init=False)
    _making: threading.RLock = field(default_factory=threading.RLock, init=False)

    def single(self, kind: Callable[[Services], Single]) -> Single:
        """The one object of this kind, which a room above made for itself of these services when
        it was first asked for."""
        if kind not in self._singles:
            with self._making:
                if kind not in self._singles:
                    self._singles[kind] = kind(self)
        found: Single = self._singles[kind]
        return found


#: What was entered and not left, the innermost last.
_entered: ContextVar[tuple[Stores, ...]] = ContextVar("services", default=())


def stores() -> Stores:
    """Those of the running application, or of the command that only looks."""
    entered = _entered.get()
    assert entered, "no application is entered"
    return entered[-1]


def current() -> Services:
    """Those of the running application."""
    found = stores()
    assert isinstance(found, Services), "a command that only looks has no plugins and no keys"
    return found


def registry() -> Registry:
    """The plugins of the running application."""
    return current().registry


def of(app: Flask) -> Services:
    """Those of this application."""
    found = _kept_by(app)
    assert found is not None, "the application was not made by create_app"
    return found


def keep(app: Flask, services: Services) -> None:
    """Give an application its services: they are current wherever its context is entered."""
    from flask import appcontext_popped, appcontext_pushed

    app.extensions[_KEY] = services
    appcontext_pushed.connect(_pushed)
    appcontext_popped.connect(_popped)


def _kept_by(app: Flask) -> Services | None:
    found: Services | None = app.extensions.get(_KEY)
    return found


def _pushed(app: Flask, **_: Any) -> None:
    if (services := _kept_by(app)) is not None:
        _enter(services)


def _popped(app: Flask, **_: Any) -> None:
    if _kept_by(app) is not None:
        _leave()


def _enter(found: Stores) -> None:
    _show((*_entered.get(), found))


def _leave() -> None:
    _show(_entered.get()[:-1])


def _show(entered: tuple[Stores, ...]) -> None:
    """Tell the rooms below what is current of theirs."""
    _entered.set(entered)
    inner = entered[-1] if entered else None
    engine.CURRENT.set(inner.database if inner else None)
    encryption.CURRENT.set(inner.keyring if isinstance(inner, Services) else None)
    clocks.CURRENT.set(inner.clock if inner else clocks.SYSTEM)
