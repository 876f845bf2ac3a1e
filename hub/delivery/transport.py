"""Connections to CRMs: kept alive per thread and hook, and guarded when they are made."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.sdk.errors import NeedsAttention
from hub.security.outbound import ForbiddenAddress, OutboundGuard

#: Hooks whose connections a thread keeps.
KEPT = 20


class Transports(threading.local):
    """A requests session for each hook that this thread has served lately."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._sessions: OrderedDict[int, requests.Session] = OrderedDict()

    def of(self, hook_id: int) -> requests.Session:
        """The hook's session in this thread."""
        session = self._sessions.pop(hook_id, None) or new_session(self._guard)
        self._sessions[hook_id] = session
        if len(self._sessions) > KEPT:
            self._sessions.popitem(last=False)[1].close()
        return session


def new_session(guard: OutboundGuard) -> requests.Session:
    """A requests session whose every new connection passes the guard."""
    session = requests.Session()
    # Proxies and .netrc files of the environment would send calls past the guard.
    session.trust_env = False
    # One hook's CRM keeps its state in the token, not in cookies.
    session.cookies.set_policy(_NoCookies())
    adapter = _GuardedAdapter(guard)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False


class _GuardedAdapter(HTTPAdapter):
    """Checks the address that a connection was really made to, before a byte is sent.

    A check of the name beforehand would let a name through that changes its address in between.
    """

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        super().__init__(pool_connections=4, pool_maxsize=4)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        guard = self._guard

        class GuardedHTTPConnection(HTTPConnection):
            def _new_conn(self) -> Any:
                return _checked(super()._new_conn(), guard)

        class GuardedHTTPSConnection(HTTPSConnection):
            def _new_conn(self) -> Any:
                return _checked(super()._new_conn(), guard)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = GuardedHTTPConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedHTTPSConnection

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


def _checked(connection: Any, guard: OutboundGuard) -> Any:
    try:
        guard.check_address(connection.getpeername()[0])
    except ForbiddenAddress as error:
        connection.close()
        raise NeedsAttention(str(error)) from error
    return connection
