"""Connections to CRMs: kept alive per thread and hook, and guarded when they are made."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
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
    """Sends an ordinary call without what it does not need: cookies, redirects, merged settings.

    These cost a third of the whole call.
    """

    def request(  # type: ignore[override]
        self, method: str, url: str, *, allow_redirects: bool, stream: bool = False, **call: Any
    ) -> requests.Response:
        if allow_redirects or stream or call.get("files"):
            return super().request(
                method, url, allow_redirects=allow_redirects, stream=stream, **call
            )
        prepared = requests.PreparedRequest()
        prepared.prepare_method(method)
        prepared.prepare_url(url, call.get("params"))
        prepared.prepare_headers({**self.headers, **(call.get("headers") or {})})
        prepared.prepare_body(call.get("data"), None, call.get("json"))
        response = self.get_adapter(prepared.url or url).send(
            prepared, timeout=call.get("timeout"), verify=self.verify is not False
        )
        response.content  # noqa: B018 - reads the body, so that the connection is free again
        return response


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
        super().__init__(pool_connections=4, pool_maxsize=4)

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
