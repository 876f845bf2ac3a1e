"""Connections that the guard has seen: urllib3's, which bring addresses, timeouts and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from hub.outbound.guard import addresses_of


class GuardedConnection(HTTPConnection):
    """Connects only to addresses that its guard has let pass, also of TLS.

    The guard gets the host's name and its addresses, and answers those that may be called. The
    connection goes to one of these themselves: a name that is looked up again could change.
    """

    guard: Callable[[str, list[str]], list[str]]

    def connect(self) -> None:
        """See urllib3."""
        host = self.host
        try:
            found = addresses_of(host, self.port)
        except OSError as error:
            raise NameResolutionError(host, self, socket.gaierror(str(error))) from error
        allowed = self.guard(host, found)
        try:
            for address in allowed[:-1]:
                self.host = address
                with suppress(ConnectTimeoutError, NewConnectionError):
                    return super().connect()
            self.host = allowed[-1]
            super().connect()
        finally:
            self.host = host  # for the request's Host header


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        """See urllib3."""
        self.server_hostname = self.host  # the certificate is that of the name, not the address
        super().connect()
