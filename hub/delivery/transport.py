"""Connections to CRMs: kept alive per thread and hook, and guarded when they are made."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.sdk.errors import NeedsAttention
from hub.security.outbound import ForbiddenAddress, OutboundGuard

Check = Callable[[], None]


def _no_check() -> None:
    """Nothing to ask."""


#: Hooks whose connections a thread keeps.
KEPT = 20


class Transports(threading.local):
    """A requests session for each hook that this thread has served lately."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._sessions: OrderedDict[int, requests.Session] = OrderedDict()
        self._last_check: Check = _no_check

    def of(self, hook_id: int, last_check: Check = _no_check) -> requests.Session:
        """The hook's session in this thread.

        ``last_check`` is made when the connection stands and the bytes of a call are about to
        go: what it raises keeps the call from being sent.
        """
        self._last_check = last_check
        session = self._sessions.pop(hook_id, None) or new_session(self._guard, self.check)
        self._sessions[hook_id] = session
        if len(self._sessions) > KEPT:
            self._sessions.popitem(last=False)[1].close()
        return session

    def check(self) -> None:
        """The last check of the call that this thread is making."""
        self._last_check()


def new_session(guard: OutboundGuard, last_check: Check = _no_check) -> requests.Session:
    """A requests session whose every new connection passes the guard, and every call the check."""
    session = _PlainSession()
    # Proxies and .netrc files of the environment would send calls past the guard.
    session.trust_env = False
    # One hook's CRM keeps its state in the token, not in cookies.
    session.cookies.set_policy(_NoCookies())
    adapter = _GuardedAdapter(guard, last_check)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _PlainSession(requests.Session):
    """Sends an ordinary call without what it does not need: cookies, redirects, merged settings,
    and a second look at an address that says what it says.

    These cost more than half of the whole call.
    """

    def request(  # type: ignore[override]
        self, method: str, url: str, *, allow_redirects: bool, stream: bool = False, **call: Any
    ) -> requests.Response:
        plain = _PLAIN_URL.match(url)
        special = allow_redirects or stream or call.get("files") or call.get("data")
        if plain is None or special:
            return super().request(
                method, url, allow_redirects=allow_redirects, stream=stream, **call
            )
        prepared = _PlainRequest(method, plain[1], plain[2], call.get("params"))
        prepared.set_content(self.headers, call.get("headers") or {}, call.get("json"))
        adapter = self.get_adapter(url)
        response = adapter.send(
            prepared, timeout=call.get("timeout"), verify=self.verify is not False
        )
        response.content  # noqa: B018 - reads the body, so that the connection is free again
        return response


#: An origin and a path in which nothing needs to be escaped, lowered or resolved.
_PLAIN_URL = re.compile(
    r"(https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?)"
    r"((?!.*/\.\.?(?:/|\Z))/[A-Za-z0-9._~/-]*)\Z"
)


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
            self.path += f"?{urlencode(given, doseq=True)}"
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
    """Checks the address that a connection was really made to, before a byte is sent.

    A check of the name beforehand would let a name through that changes its address in between.
    """

    def __init__(self, guard: OutboundGuard, last_check: Check) -> None:
        self._guard = guard
        self._last_check = last_check
        self._pools: dict[tuple[str, bool], Any] = {}
        super().__init__(pool_connections=4, pool_maxsize=4)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Called by requests for the pool of a request's host."""
        if not isinstance(request, _PlainRequest):
            return super().get_connection_with_tls_context(request, verify, proxies, cert)
        key = (request.origin, verify)
        if key not in self._pools:
            self._pools[key] = super().get_connection_with_tls_context(request, verify)
        return self._pools[key]

    def cert_verify(self, connection: Any, url: str, verify: Any, cert: Any) -> None:
        """Called by requests before each call."""
        if url.startswith("https:"):
            super().cert_verify(connection, url, verify, cert)  # type: ignore[no-untyped-call]

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Called by requests for what stands behind the method."""
        if isinstance(request, _PlainRequest):
            return request.path
        return super().request_url(request, proxies)

    def build_response(self, request: requests.PreparedRequest, answer: Any) -> requests.Response:
        """Called by requests. What is left out: cookies, which nobody keeps."""
        if not isinstance(request, _PlainRequest):
            return super().build_response(request, answer)
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = answer
        response.reason = answer.reason
        response.url = request.origin + request.path
        response.request = request
        return response

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        guard, last_check = self._guard, self._last_check

        class Guarded(HTTPConnection):
            def _new_conn(self) -> Any:
                return _checked(super()._new_conn(), guard)

            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()  # takes its time, so it comes before the check
                last_check()
                super().send(data)

        class GuardedTls(Guarded, HTTPSConnection):
            pass

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Guarded

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedTls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def _checked(connection: Any, guard: OutboundGuard) -> Any:
    try:
        guard.check_address(connection.getpeername()[0])
    except ForbiddenAddress as error:
        connection.close()
        raise NeedsAttention(str(error)) from error
    return connection
