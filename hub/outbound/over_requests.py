"""Calls that are not ordinary go over requests, on connections that pass the same guard."""

from __future__ import annotations

from collections import OrderedDict
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.outbound.connection import GuardedConnection, GuardedTlsConnection
from hub.outbound.passage import Check, Passage
from hub.sdk.transport import LARGEST_ANSWER, read_within

#: Hosts to which requests keeps connections for a hook.
_POOLS = 4


class GuardedSession(requests.Session):
    """A session of requests whose connections pass the guard, and whose calls make the check."""

    def __init__(self, passage: Passage, last_check: Check) -> None:
        super().__init__()
        self._passage = passage
        # Proxies and .netrc files of the environment would send calls past the guard.
        self.trust_env = False
        # One hook's CRM keeps its state in the token, not in cookies.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _GuardedAdapter(passage, last_check)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """See requests, which reads an answer that leads on; the host that does so is noted."""
        target = super().get_redirect_target(resp)
        if target:
            read_within(resp, LARGEST_ANSWER)
            self._passage.lead(resp.url, target)
        return target


class _GuardedAdapter(HTTPAdapter):
    """Gives requests connections that pass the guard, and make the last check before bytes go."""

    def __init__(self, passage: Passage, last_check: Check) -> None:
        super().__init__()
        self._pools: OrderedDict[tuple[Any, ...], HTTPConnectionPool] = OrderedDict()

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

        self._kinds = {"http": PlainPool, "https": TlsPool}

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """See requests. No proxy stands between."""
        place, tls = self.build_connection_pool_key_attributes(request, verify, cert)
        key = (place["scheme"], place["host"], place["port"])
        pool = self._pools.pop(key, None)
        if pool is None:
            options: dict[str, Any] = {**tls} if place["scheme"] == "https" else {}
            pool = self._kinds[place["scheme"]](place["host"], place["port"], **options)
        self._pools[key] = pool
        if len(self._pools) > _POOLS:
            self._pools.popitem(last=False)[1].close()
        return pool

    def close(self) -> None:
        """See requests."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        super().close()
