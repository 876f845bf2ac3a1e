"""What a plugin gets from the hub: everything that it may use while it works for one hook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.events import Event
from hub.sdk.http import HttpClient
from hub.sdk.links import Links
from hub.sdk.redaction import Redactor
from hub.sdk.state import State


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """The moment, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Log(Protocol):
    """A logger that knows hook and delivery, and redacts. Fields are keyword arguments."""

    def info(self, message: str, **fields: Any) -> None: ...

    def warning(self, message: str, **fields: Any) -> None: ...


class SessionPool(Protocol):
    """Remote sessions that the worker fleet shares.

    A session is a token that the remote gave for a sign-in. It is stored encrypted and lent to one
    caller at a time. The plugin's ``SessionDriver`` closes it when it was not used for a while,
    when the hub stops, and when the hook is disabled.
    """

    def borrow(self) -> AbstractContextManager[BorrowedSession]:
        """Lend a session for the length of a ``with`` block. If none is free, open a new one."""


class BorrowedSession(Protocol):
    """A session on loan."""

    @property
    def token(self) -> str:
        """The token to send."""

    def renew(self) -> str:
        """Drop the token because the remote no longer accepts it, and open a new session."""


class SessionDriver(Protocol):
    """How a plugin opens and closes a remote session. Given in its manifest."""

    def open(self, context: CallContext) -> str:
        """Sign in and return the token."""

    def close(self, context: CallContext, token: str) -> None:
        """Sign out. A token that the remote no longer knows is no error."""


class CallContext(Protocol):
    """The part of the context that is there for every call, including those of the setup."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The hook's validated settings, defaults filled in."""

    @property
    def learned(self) -> Mapping[str, Any]:
        """What the last successful setup learned."""

    @property
    def http(self) -> HttpClient:
        """The HTTP client."""

    @property
    def log(self) -> Log:
        """The logger."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    @property
    def redactor(self) -> Redactor:
        """Replaces the hook's secrets in texts."""


class Context(CallContext, Protocol):
    """What a processor gets."""

    @property
    def hook_id(self) -> int:
        """The hook's number."""

    @property
    def account_name(self) -> str:
        """The account's name, for texts that people read."""

    @property
    def default_region(self) -> str | None:
        """The country, as two letters, of phone numbers without a country code."""

    @property
    def insisted(self) -> bool:
        """Whether a person has decided to deliver this event, which was kept back, although it is
        not known to whom it belongs. Since SDK 1.1."""

    @property
    def links(self) -> Links:
        """The hook's links."""

    @property
    def state(self) -> State:
        """What the plugin remembers about the hook, apart from links. Since SDK 1.1."""

    @property
    def sessions(self) -> SessionPool:
        """The hook's remote sessions; only for plugins with a ``SessionDriver``."""

    def identity(self, *keys: str) -> AbstractContextManager[None]:
        """Hold the identity mutex of these keys ("email:ann@example.com", "phone:49151…").

        Hold it while you find or create one person. So two lanes that meet the same person at the
        same moment create one record.

        :raises RetryLater: another worker has held one of them for too long.
        """

    def following(self, *names: str) -> Sequence[Event]:
        """The events of these names that wait behind this one in the lane, oldest first."""

    def progress(self, sentence: str) -> None:
        """Note a step in the history of the delivery."""


class SetupContext(CallContext, Protocol):
    """What a setup service gets."""

    def step(self, name: str, title: str) -> AbstractContextManager[None]:
        """A named step of the setup. Its outcome is shown to the person who watches."""
