"""Connections to CRMs: kept alive per thread and hook, and guarded when they are made."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.outbound.guard import (
    NO_DOORS,
    Doors,
    ForbiddenAddress,
    OutboundGuard,
)
from hub.outbound.line import (
    GuardedConnection,
    GuardedTlsConnection,
    Line,
)
from hub.sdk.errors import NeedsAttention
from hub.sdk.http import LARGEST_ANSWER, BoundedSession, read_within

Check = Callable[[], None]


def _no_check() -> None:
    """Nothing to ask."""


#: Hooks whose connections a thread keeps.
KEPT = 20


class Files(Protocol):
    """The files of the events in hand, which may lie inside where the hook itself may not call."""

    def has(self, url: str) -> bool:
        """Whether this is the address of one."""

    def doors(self) -> Doors:
        """The hosts inside from which they may be fetched."""


class _NoFiles:
    def has(self, url: str) -> bool:
        return False

    def doors(self) -> Doors:
        return NO_DOORS


NO_FILES = _NoFiles()


@dataclass(slots=True)
class Passage:
    """Where calls may go. One of ``files`` may be led on, from a host behind its doors to the
    storage of that."""

    guard: OutboundGuard
    doors: Doors = NO_DOORS
    of_files: bool = False
    _led_to: set[str] = field(default_factory=set)

    def __call__(self, host: str, addresses: list[str]) -> list[str]:
        """Those of a host's addresses that may be called.

        :raises NeedsAttention: none.
        """
        doors = self.doors.with_hosts(frozenset(self._led_to)) if self._led_to else self.doors
        try:
            return self.guard.allowed(addresses, host.rstrip(".").lower(), doors)
        except ForbiddenAddress as error:
            raise NeedsAttention(str(error)) from error

    def lead(self, source: str, target: str) -> None:
        """A host answers with a redirect."""
        if self.of_files and (self.doors.has(host := _host(source)) or host in self._led_to):
            self._led_to.add(_host(urljoin(source, target)))


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".").lower()


class Transports(threading.local):
    """A requests session for each hook that this thread has served lately."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._sessions: OrderedDict[int, _PlainSession] = OrderedDict()
        self._last_check: Check = _no_check

    def of(
        self,
        hook_id: int,
        doors: Doors,
        last_check: Check = _no_check,
        files: Files = NO_FILES,
    ) -> requests.Session:
        """The hook's session in this thread.

        ``doors`` are the hosts inside that the hook may call; ``files`` may lie elsewhere.
        ``last_check`` is made when the connection stands and the bytes of a call are about to go:
        what it raises keeps the call from being sent.
        """
        self._last_check = last_check
        session = self._sessions.pop(hook_id, None)
        if session is None or session.passage.doors != doors:
            if session is not None:
                session.close()  # its connections were made by other doors
            session = new_session(self._guard, self.check, doors)
        session.files = files
        self._sessions[hook_id] = session
        if len(self._sessions) > KEPT:
            self._sessions.popitem(last=False)[1].close()
        return session

    def check(self) -> None:
        """The last check of the call that this thread is making."""
        self._last_check()


def new_session(
    guard: OutboundGuard,
    last_check: Check = _no_check,
    doors: Doors = NO_DOORS,
    *,
    of_files: bool = False,
) -> _PlainSession:
    """A requests session whose every new connection passes the guard, and every call the check."""
    session = _PlainSession(Passage(guard, doors, of_files), last_check)
    # Proxies and .netrc files of the environment would send calls past the guard.
    session.trust_env = False
    # One hook's CRM keeps its state in the token, not in cookies.
    session.cookies.set_policy(_NoCookies())
    adapter = _GuardedAdapter(session.passage, last_check)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _PlainSession(BoundedSession):
    """Sends an ordinary call over a line of its own, without what it does not need: cookies,
    redirects, merged settings, and a second look at an address that says what it says.
    """

    def __init__(self, passage: Passage, last_check: Check) -> None:
        super().__init__()
        self.passage = passage
        self.files: Files = NO_FILES
        self._last_check = last_check
        self._lines: dict[str, Line] = {}

    def request(  # type: ignore[override]
        self, method: str, url: str, **call: Any
    ) -> requests.Response:
        """See requests. A file that lies where the hook itself may not call is fetched over a
        connection of its own: no other call goes there, not even when that one still stands."""
        try:
            return self._request(method, url, **call)
        except NeedsAttention:
            if method != "GET" or not self.files.has(url):
                raise
        guard = self.passage.guard
        with new_session(guard, self._last_check, self.files.doors(), of_files=True) as once:
            return once.request(method, url, **call)

    def _request(
        self,
        method: str,
        url: str,
        *,
        allow_redirects: bool,
        max_bytes: int = LARGEST_ANSWER,
        **call: Any,
    ) -> requests.Response:
        plain = _PLAIN_URL.match(url)
        special = allow_redirects or call.get("files") or call.get("data")
        special = special or any(name.lower() in _OURS for name in call.get("headers") or ())
        if plain is None or special or method not in _PLAIN_METHODS:
            call["stream"] = True  # it is read here, within its bound
            response = super().request(method, url, allow_redirects=allow_redirects, **call)
            read_within(response, max_bytes)
            return response
        prepared = _PlainRequest(method, plain[1], plain[2], call.get("params"))
        prepared.set_content(self.headers, call.get("headers") or {}, call.get("json"))
        timeout = call.get("timeout")
        connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        return self._line(prepared.origin).call(prepared, prepared.path, connect, read, max_bytes)

    def _line(self, origin: str) -> Line:
        line = self._lines.get(origin)
        if line is None:
            try:
                line = self._lines[origin] = Line(origin, self.passage, self._last_check)
            except ValueError as error:
                raise requests.exceptions.InvalidURL(f"{origin}: {error}") from error
        return line

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """See requests, which reads an answer that leads on; the host that does so is noted."""
        target = super().get_redirect_target(response)
        if target:
            read_within(response, LARGEST_ANSWER)
            self.passage.lead(response.url, target)
        return target

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        super().close()


#: Headers that a line writes itself.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_PLAIN_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
#: An origin and a path in which nothing needs to be escaped, lowered or resolved.
_PLAIN_URL = re.compile(
    r"(https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?)"
    r"((?!.*/\.\.?(?:/|\Z))/[A-Za-z0-9._~/-]*)\Z"
)


#: The names of a CRM's parameters, and many of their values, are the same in each call.
_quoted = lru_cache(maxsize=1_024)(quote_plus)


class _PlainRequest(requests.PreparedRequest):
    """A request whose address is in its final form already."""

    def __init__(
        self, method: str, origin: str, path: str, params: Mapping[str, Any] | None
    ) -> None:
        super().__init__()
        self.method = method
        self.origin = origin
        self.path = path
        if params:
            given = [(name, value) for name, value in params.items() if value is not None]
            self.path += f"?{urlencode(given, doseq=True, quote_via=_quoted)}"
        self.url = origin + self.path

    def set_content(
        self, defaults: Mapping[str, Any], given: Mapping[str, Any], content: Any
    ) -> None:
        """Headers, those given before the session's own, and a JSON body if there is one."""
        names = {name.lower() for name in given}
        headers = {name: value for name, value in defaults.items() if name.lower() not in names}
        headers.update(given)
        if content is not None:
            self.body = json.dumps(content, allow_nan=False).encode()
            if "content-type" not in names:
                headers["Content-Type"] = "application/json"
        if self.body or self.method not in ("GET", "HEAD"):
            headers["Content-Length"] = str(len(self.body or b""))
        # A dict serves as well as requests' own mapping, and is much quicker to go through.
        self.headers = headers  # type: ignore[assignment]


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False


class _GuardedAdapter(HTTPAdapter):
    """Guards the calls that are not ordinary."""

    def __init__(self, passage: Passage, last_check: Check) -> None:
        self._passage = passage
        self._last_check = last_check
        super().__init__(pool_connections=4, pool_maxsize=4)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        passage = self._passage
        last_check = self._last_check

        class Guarded(GuardedConnection):
            guard = staticmethod(passage)

            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()  # takes its time, so it comes before the check
                last_check()
                super().send(data)

        class GuardedTls(Guarded, GuardedTlsConnection):
            pass

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Guarded

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedTls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
