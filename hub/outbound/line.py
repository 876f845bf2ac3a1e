"""A kept-alive connection to one origin, for ordinary calls.

urllib3 makes the connection; llhttp reads the answers. What lies in between in requests and urllib3
serves cases that an ordinary call is not, and costs ten times as much as the call
(docs/decisions/0008).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import certifi
import httptools
import requests
from requests.utils import check_header_validity
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import create_urllib3_context, wait_for_read

from hub.outbound.answer import Answer, Request
from hub.outbound.connection import GuardedConnection, GuardedTlsConnection
from hub.sdk.transport import LARGEST_ANSWER

#: Bytes taken from the kernel at a time.
_PIECE = 65_536


class Line:
    """One connection. Not shared between threads.

    ``guard`` is a ``GuardedConnection``'s; ``last_check`` is called when the connection
    stands and the bytes of a call are about to go.

    :raises ValueError: the origin's port is none.
    """

    def __init__(
        self,
        origin: str,
        guard: Callable[[str, list[str]], list[str]],
        last_check: Callable[[], None],
    ) -> None:
        self._socket: Any = None
        parts = urlsplit(origin)
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._is_tls else 80)
        self._host_header = parts.netloc
        self._guard = guard
        self._last_check = last_check

    def call(
        self,
        request: Request,
        connect: float,
        read: float,
        max_bytes: int = LARGEST_ANSWER,
    ) -> requests.Response:
        """Send a request and read its answer. ``connect`` and ``read`` are timeouts in seconds;
        ``max_bytes`` bounds the body, without its compression.

        :raises AnswerTooLarge: it is larger.
        :raises requests.RequestException: as requests would.
        """
        data = _bytes_of(request, self._host_header)
        try:
            self._connect(connect)
            self._last_check()
            answer = self._exchange(data, read, max_bytes)
        except BaseException as error:
            self.close()
            if isinstance(error, requests.RequestException):
                error.request = request.as_of_requests()
            raise
        if not answer.keeps_alive:
            self.close()
        return answer.response(request)

    def close(self) -> None:
        """Close the connection; the next call makes another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __del__(self) -> None:
        # A thread's lines end with the thread.
        self.close()

    def _connect(self, timeout: float) -> None:
        if self._socket is not None:
            if not wait_for_read(self._socket, timeout=0):
                return
            self.close()  # the other side has closed it, or says what nobody asked for
        try:
            self._socket = self._new_socket(timeout)
        except NewConnectionError as error:  # refused, say; to urllib3 that is a timeout, too
            raise requests.ConnectionError(error) from error
        except ConnectTimeoutError as error:
            raise requests.ConnectTimeout(error) from error
        except ssl.SSLError as error:
            raise requests.exceptions.SSLError(error) from error
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error) from error

    def _new_socket(self, timeout: float) -> Any:
        connection: GuardedConnection
        if self._is_tls:
            connection = GuardedTlsConnection(
                self._host, self._port, timeout=timeout, ssl_context=_trusting()
            )
        else:
            connection = GuardedConnection(self._host, self._port, timeout=timeout)
        connection.guard = self._guard
        connection.connect()
        return connection.sock

    def _exchange(self, data: bytes, timeout: float, max_bytes: int) -> Answer:
        answer = Answer(max_bytes)
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(data)
            while not answer.is_complete:
                answer.feed(self._socket.recv(_PIECE))
        except TimeoutError as error:
            raise requests.ReadTimeout(error) from error
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not answer.is_complete:
                raise requests.ConnectionError(error) from error
            answer.keeps_alive = False  # bytes behind an answer belong to none
        except requests.RequestException:
            raise  # what is too large; an OSError, too
        except (OSError, EOFError) as error:
            raise requests.ConnectionError(error) from error
        return answer


@cache
def _trusting() -> ssl.SSLContext:
    """TLS that trusts the authorities that requests trusts."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(certifi.where())
    return context


def _bytes_of(request: Request, host: str) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {host}"]
    for name, value in request.headers.items():
        check_header_validity((name, value))
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        lines.append(f"{name}: {text}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1") + (request.body or b"")
