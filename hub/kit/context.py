"""A complete context in memory, for the tests of plugins and for the conformance kit.

Several contexts may share one ``MemoryStore``: they are then the workers of one hook, each in its
own thread. HTTP calls are real. Time moves when told to. Any boundary between the plugin and the
world (before and after a call, before and after a commit) can be made the place of a crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from hub.config import networks
from hub.kit.links import (
    MemoryLinks,
    StoredLinks,
)
from hub.kit.state import (
    MemoryState,
    StoredState,
)
from hub.outbound.guard import (
    THIS_MACHINE,
    OutboundGuard,
)
from hub.outbound.transport import GuardedTransport
from hub.sdk.context import SessionDriver
from hub.sdk.errors import HubError, RetryLater
from hub.sdk.events import Event
from hub.sdk.http import READ_TIMEOUT, Call, CallRules, HttpClient
from hub.sdk.plugin import Plugin
from hub.sdk.processor import Done, Outcome
from hub.sdk.redaction import Redactor
from hub.sdk.settings import secret_names
from hub.sdk.transport import Transport

IDENTITY_WAIT = 30.0


class Crash(BaseException):
    """The worker died here. Not an ``Exception``, so that no handler can mend it."""


@dataclass
class MovableClock:
    """A clock that stands still unless moved; ``sleep`` moves it."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class LogEntry:
    """One line of the log."""

    level: str
    message: str
    fields: dict[str, Any]


class MemoryLog:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def info(self, message: str, **fields: Any) -> None:
        """Keep a line."""
        self.entries.append(LogEntry("info", message, fields))

    def warning(self, message: str, **fields: Any) -> None:
        """Keep a warning."""
        self.entries.append(LogEntry("warning", message, fields))


class MemoryStore:
    """What outlives a worker: links and intents, state, remote sessions, identity mutexes."""

    def __init__(self) -> None:
        self.links = StoredLinks()
        self.state = StoredState()
        self.free_sessions: list[str] = []
        self.lock = threading.RLock()
        self._identities: dict[str, threading.Lock] = {}

    def identity(self, key: str) -> threading.Lock:
        """The mutex of one key."""
        with self.lock:
            return self._identities.setdefault(key, threading.Lock())


def hub_session() -> Transport:
    """The hub's own transport, for ``MemoryContext(session=...)``.

    It sends what a plain session would, for a third of the CPU; what patches ``requests`` does not
    see its calls.
    """
    return GuardedTransport(OutboundGuard(allow=networks(THIS_MACHINE)))


class MemorySession:
    """A session on loan."""

    def __init__(self, token: str, renew: Callable[[], str]) -> None:
        self._token = token
        self._renew = renew

    @property
    def token(self) -> str:
        """The token to send."""
        return self._token

    def renew(self) -> str:
        """Forget the token and sign in again."""
        self._token = ""
        self._token = self._renew()
        return self._token


class MemorySessions:
    """The hook's sessions, kept in the store between loans."""

    def __init__(self, context: MemoryContext) -> None:
        self._context = context

    @contextmanager
    def borrow(self) -> Iterator[MemorySession]:
        """Lend a free session, or a new one."""
        store = self._context.store
        with store.lock:
            token = store.free_sessions.pop() if store.free_sessions else ""
        session = MemorySession(token or self._open(), self._open)
        try:
            yield session
        finally:
            if session.token:
                with store.lock:
                    store.free_sessions.append(session.token)

    def close(self) -> None:
        """Sign out of every session that is free."""
        store, driver = self._context.store, self._driver()
        while store.free_sessions:
            driver.close(self._context, store.free_sessions.pop())

    def _open(self) -> str:
        return self._driver().open(self._context)

    def _driver(self) -> SessionDriver:
        plugin = self._context.plugin
        assert plugin is not None, "this test gave no plugin"
        assert plugin.session_driver is not None, f"{plugin.id} declares no session driver"
        return plugin.session_driver


class MemoryContext:
    """Implements ``hub.sdk.Context`` and ``hub.sdk.SetupContext``.

    ``settings`` go through the plugin's schema when a plugin is given, so defaults are filled in.
    Calls are made with ``session``, or with a plain one of ``requests``.

    :ivar calls: every HTTP call made.
    :ivar steps: the names of the setup steps gone through; ``titles`` what people read.
    :ivar story: the sentences given to ``progress``.
    :ivar waiting: the events that wait behind this one in the lane; settable.
    :ivar insisted: whether a person wants this event delivered although nobody is known; settable.
    :ivar boundaries: the names of the boundaries passed so far.
    :ivar crash_at: the number of the boundary (from 1) at which the worker dies.
    """

    def __init__(
        self,
        plugin: Plugin | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        learned: Mapping[str, Any] | None = None,
        store: MemoryStore | None = None,
        clock: MovableClock | None = None,
        hook_id: int = 1,
        account_name: str = "Acme",
        default_region: str | None = None,
        crash_at: int | None = None,
        settle: float = 0.0,
        read_timeout: float = READ_TIMEOUT,
        session: requests.Session | Transport | None = None,
    ) -> None:
        self.plugin = plugin
        given = dict(settings or {})
        self.settings: Mapping[str, Any] = plugin.settings().load(given) if plugin else given
        self.learned: Mapping[str, Any] = dict(learned or {})
        self.store = store or MemoryStore()
        self.clock = clock or MovableClock()
        self.hook_id = hook_id
        self.account_name = account_name
        self.default_region = default_region
        secrets = secret_names(plugin.settings) if plugin else frozenset()
        self.redactor = Redactor(str(self.settings.get(name, "")) for name in secrets)
        self.log = MemoryLog()
        self.calls: list[Call] = []
        self.steps: list[str] = []
        self.titles: list[str] = []
        self.story: list[str] = []
        self.waiting: list[Event] = []
        self.insisted = False
        self.boundaries: list[str] = []
        self.crash_at = crash_at
        version = plugin.version if plugin else "0"
        self.state = MemoryState(self.store.state, version)
        self.links = MemoryLinks(self.store.links, self.clock, self.boundary, settle, self.state)
        self.sessions = MemorySessions(self)
        self.http = HttpClient(
            session or requests.Session(),
            redactor=self.redactor,
            rules=CallRules(before=self._before_call, after=self._after_call),
            read_timeout=read_timeout,
        )

    def identity(self, *keys: str) -> AbstractContextManager[None]:
        """Hold the mutexes of these keys, always taken in the same order."""
        return self._hold(sorted(set(keys)))

    @contextmanager
    def _hold(self, keys: Sequence[str]) -> Iterator[None]:
        with ExitStack() as held:
            for key in keys:
                lock = self.store.identity(key)
                if not lock.acquire(timeout=IDENTITY_WAIT):
                    raise RetryLater("Another worker works on the same person.")
                held.callback(lock.release)
            yield
            # What was found or made must be known before others may look.
            self.links.flush()

    def following(self, *names: str) -> Sequence[Event]:
        """The waiting events of these names."""
        return [event for event in self.waiting if event.name in names]

    def progress(self, sentence: str) -> None:
        """Keep the sentence."""
        self.story.append(sentence)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Keep the step's name and title."""
        self.steps.append(name)
        self.titles.append(title)
        yield

    def boundary(self, name: str) -> None:
        """Pass a boundary, or die at it.

        :raises Crash: the boundary is the one of ``crash_at``.
        """
        self.boundaries.append(name)
        if len(self.boundaries) == self.crash_at:
            raise Crash(f"{self.crash_at}: {name}")

    def deliver(self, event: Event) -> Outcome:
        """Handle one event as the hub would: the outcome, or the error that stands for it."""
        return self._handled(lambda processor: [getattr(processor, event.handler_name)(event)])[0]

    def deliver_batch(self, events: Sequence[Event]) -> Sequence[Outcome]:
        """Handle several events of one name and one conversation in one go."""
        handler = events[0].handler_name + "_batch"
        outcomes = self._handled(lambda processor: list(getattr(processor, handler)(list(events))))
        return outcomes if len(outcomes) == len(events) else list(outcomes) * len(events)

    def _handled(self, work: Callable[[Any], Sequence[Outcome]]) -> Sequence[Outcome]:
        assert self.plugin is not None, "this test gave no plugin"
        try:
            outcomes = work(self.plugin.processor(self))
        except HubError as error:
            outcomes = [error]
        self.links.flush()
        for outcome in outcomes:
            assert isinstance(outcome, Done | HubError), f"not an outcome: {outcome!r}"
        return outcomes

    def _before_call(self, url: str) -> None:
        self.links.flush()
        self.boundary(f"before {url}")

    def _after_call(self, call: Call) -> None:
        self.calls.append(call)
        self.boundary(f"after {call.method} {call.url}")
