"""What carries the calls to CRMs: connections are kept for each thread and hook."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

import requests
from requests.utils import default_headers

from hub.outbound.answer import Request
from hub.outbound.guard import NO_DOORS, Doors, OutboundGuard
from hub.outbound.line import Line
from hub.outbound.over_requests import GuardedSession
from hub.outbound.passage import NO_FILES, Check, Files, Passage, no_check
from hub.sdk.errors import NeedsAttention
from hub.sdk.transport import LARGEST_ANSWER, SessionTransport, Timeout, Transport

#: Hooks whose connections a thread keeps.
KEPT = 20


class Transports(threading.local):
    """A transport for each hook that this thread has served lately."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._kept: OrderedDict[int, GuardedTransport] = OrderedDict()
        self._last_check: Check = no_check

    def of(
        self,
        hook_id: int,
        doors: Doors,
        last_check: Check = no_check,
        files: Files = NO_FILES,
    ) -> Transport:
        """The hook's transport in this thread.

        ``doors`` are the hosts inside that the hook may call; ``files`` may lie elsewhere.
        ``last_check`` is made when the connection stands and the bytes of a call are about to go:
        what it raises keeps the call from being sent.
        """
        self._last_check = last_check
        transport = self._kept.pop(hook_id, None)
        if transport is None or transport.passage.doors != doors:
            if transport is not None:
                transport.close()  # its connections were made by other doors
            transport = GuardedTransport(self._guard, self.check, doors)
        transport.files = files
        self._kept[hook_id] = transport
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)[1].close()
        return transport

    def check(self) -> None:
        """The last check of the call that this thread is making."""
        self._last_check()


class GuardedTransport(Transport):
    """Every new connection passes the guard, and every call the check.

    An ordinary call goes over a line of its own, without what it does not need: cookies, redirects,
    merged settings, and a second look at an address that says what it says. What is not ordinary
    goes over requests.
    """

    def __init__(
        self,
        guard: OutboundGuard,
        last_check: Check = no_check,
        doors: Doors = NO_DOORS,
        *,
        of_files: bool = False,
    ) -> None:
        self.passage = Passage(guard, doors, of_files)
        self.files: Files = NO_FILES
        self._last_check = last_check
        self._lines: dict[str, Line] = {}
        self._whole: SessionTransport | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout: Timeout,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        allow_redirects: bool = False,
        max_bytes: int = LARGEST_ANSWER,
    ) -> requests.Response:
        """See ``Transport``. A file that lies where the hook itself may not call is fetched over a
        connection of its own: no other call goes there, not even when that one still stands."""
        call: dict[str, Any] = {"timeout": timeout, "params": params, "json": json, "data": data}
        call |= {"files": files, "headers": headers}
        call |= {"allow_redirects": allow_redirects, "max_bytes": max_bytes}
        special = allow_redirects or data or files or (headers and _has_ours(headers))
        plain = None if special or method not in _PLAIN_METHODS else _PLAIN_URL.match(url)
        try:
            if plain is None:
                return self._over_requests().request(method, url, **call)
            request = _plain_request(method, plain[1], plain[2], params, headers or {}, json)
            connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
            return self._line(request.origin).call(request, connect, read, max_bytes)
        except NeedsAttention:
            if method != "GET" or not self.files.has(url):
                raise
        guard = self.passage.guard
        with GuardedTransport(guard, self._last_check, self.files.doors(), of_files=True) as once:
            return once.request(method, url, **call)

    def close(self) -> None:
        """See ``Transport``."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        if self._whole is not None:
            self._whole.close()
            self._whole = None

    def _line(self, origin: str) -> Line:
        line = self._lines.get(origin)
        if line is None:
            try:
                line = self._lines[origin] = Line(origin, self.passage, self._last_check)
            except ValueError as error:
                raise requests.exceptions.InvalidURL(f"{origin}: {error}") from error
        return line

    def _over_requests(self) -> SessionTransport:
        if self._whole is None:
            self._whole = SessionTransport(GuardedSession(self.passage, self._last_check))
        return self._whole


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


def _has_ours(headers: Mapping[str, str]) -> bool:
    return any(name.lower() in _OURS for name in headers)


#: The headers that requests sends with every call.
_DEFAULTS = {name.lower(): (name, value) for name, value in default_headers().items()}


def _plain_request(
    method: str,
    origin: str,
    path: str,
    params: Mapping[str, Any] | None,
    given: Mapping[str, str],
    content: Any,
) -> Request:
    """A request whose address is in its final form already, with a JSON body if there is one."""
    if params:
        values = [(name, value) for name, value in params.items() if value is not None]
        path += f"?{urlencode(values, doseq=True, quote_via=_quoted)}"
    names = {name.lower() for name in given}
    headers = dict([header for name, header in _DEFAULTS.items() if name not in names])
    headers.update(given)
    body = None
    if content is not None:
        body = json.dumps(content, allow_nan=False).encode()
        if "content-type" not in names:
            headers["Content-Type"] = "application/json"
    if body or method != "GET":
        headers["Content-Length"] = str(len(body or b""))
    return Request(method, origin, path, headers, body)
