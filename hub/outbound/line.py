"""A kept-alive connection to one origin, for ordinary calls.

urllib3 makes the connection (addresses, timeouts, TLS); llhttp, Node's parser, reads the answers.
What lies in between in requests and urllib3 serves cases that an ordinary call is not, and costs
ten times as much as the call (docs/decisions/0008).
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit

import certifi
import httptools
import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import check_header_validity, get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.ssl_ import create_urllib3_context
from urllib3.util.wait import wait_for_read

from hub.outbound.guard import addresses_of
from hub.sdk.http import LARGEST_ANSWER, AnswerTooLarge, says_more_than, stands_in_few_pieces

#: Bytes taken from the kernel at a time.
_PIECE = 65_536
#: Bytes of headers that are taken of an answer, with those of interim answers before it.
_LARGEST_HEAD = 262_144


class GuardedConnection(HTTPConnection):
    """Connects only to addresses that its guard has let pass, also of TLS.

    The guard gets the host's name and its addresses, and answers those that may be called. The
    connection goes to one of these themselves: a name that is looked up again could change.
    """

    guard: Callable[[str, list[str]], list[str]]

    def _new_conn(self) -> Any:
        host = self.host
        try:
            found = addresses_of(host, self.port)
        except OSError as error:
            raise NameResolutionError(host, self, socket.gaierror(str(error))) from error
        allowed = self.guard(host, found)
        try:
            for address in allowed[:-1]:
                with suppress(ConnectTimeoutError, NewConnectionError):
                    return self._connect_to(address)
            return self._connect_to(allowed[-1])
        finally:
            self.host = host  # by which TLS knows the other side

    def _connect_to(self, address: str) -> Any:
        self.host = address
        return super()._new_conn()


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same with TLS."""


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
        request: requests.PreparedRequest,
        path: str,
        connect: float,
        read: float,
        max_bytes: int = LARGEST_ANSWER,
    ) -> requests.Response:
        """Send a request and read its answer. ``connect`` and ``read`` are timeouts in seconds;
        ``max_bytes`` bounds the body, without its compression.

        :raises AnswerTooLarge: it is larger.
        :raises requests.RequestException: as requests would.
        """
        data = _bytes_of(request, path, self._host_header)
        try:
            self._connect(request, connect)
            self._last_check()
            answer = self._exchange(request, data, read, max_bytes)
        except BaseException:
            self.close()
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

    def _connect(self, request: requests.PreparedRequest, timeout: float) -> None:
        if self._socket is not None:
            if not wait_for_read(self._socket, timeout=0):
                return
            self.close()  # the other side has closed it, or says what nobody asked for
        try:
            self._socket = self._new_socket(timeout)
        except NewConnectionError as error:  # refused, say; to urllib3 that is a timeout, too
            raise requests.ConnectionError(error, request=request) from error
        except ConnectTimeoutError as error:
            raise requests.ConnectTimeout(error, request=request) from error
        except ssl.SSLError as error:
            raise requests.exceptions.SSLError(error, request=request) from error
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=request) from error

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

    def _exchange(
        self, request: requests.PreparedRequest, data: bytes, timeout: float, max_bytes: int
    ) -> _Answer:
        answer = _Answer(max_bytes)
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(data)
            while not answer.is_complete:
                answer.feed(self._socket.recv(_PIECE))
        except TimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not answer.is_complete:
                raise requests.ConnectionError(error, request=request) from error
            answer.keeps_alive = False  # bytes behind an answer belong to none
        except requests.RequestException:
            raise  # what is too large; an OSError, too
        except (OSError, EOFError) as error:
            raise requests.ConnectionError(error, request=request) from error
        return answer


@cache
def _trusting() -> ssl.SSLContext:
    """TLS that trusts the authorities that requests trusts."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(certifi.where())
    return context


class _Answer:
    """What llhttp tells of an answer, piece by piece. Its body may have ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._of_head = self._behind_head = self._pieces = 0
        self.is_complete = False
        self.keeps_alive = False
        self._reason = b""
        self._headers = HTTPHeaderDict()
        self._body = bytearray()
        self._has_headers = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; none mean that the other side has closed the connection.

        :raises EOFError: it did so in the middle, or its headers do not end.
        :raises httptools.HttpParserError: this is not HTTP.
        :raises requests.RequestException: it is larger than it may be.
        """
        if piece:
            self._parser.feed_data(piece)
            self._measure(len(piece))
        elif self._has_headers and not self._tells_its_length():
            self.is_complete = True  # such a body ends with the connection
        else:
            raise EOFError("the connection was closed before the answer was complete")

    def _measure(self, size: int) -> None:
        if not self._has_headers:
            self._of_head += size
            if self._of_head > _LARGEST_HEAD:
                raise EOFError("the headers of the answer do not end")
            return
        # What stands between chunks may be more than they are, but not without an end.
        self._behind_head += size
        stands_in_few_pieces(self._pieces, self._limit)
        if len(self._body) > self._limit or self._behind_head > 2 * self._limit + _LARGEST_HEAD:
            raise AnswerTooLarge(self._limit)
        if not self.is_complete and says_more_than(self._limit, self._headers):
            raise AnswerTooLarge(self._limit)

    def response(self, request: requests.PreparedRequest) -> requests.Response:
        """The answer as requests would give it."""
        headers = CaseInsensitiveDict(self._headers)
        body = bytes(self._body)
        if "Content-Encoding" in headers:
            body = _decoded(body, headers, self._limit)
        reason = self._reason.decode("latin-1")
        return _Response(request, self._parser.get_status_code(), reason, headers, body)

    def _tells_its_length(self) -> bool:
        return "Content-Length" in self._headers or "Transfer-Encoding" in self._headers

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Nothing may follow an answer."""
        if self.is_complete:
            raise ValueError("bytes behind the answer")

    def on_status(self, reason: bytes) -> None:
        """The words behind the status."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or a trailer, which nobody asked for."""
        if not self._has_headers:
            self._headers.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """All headers."""
        self._has_headers = True

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._pieces += 1
        self._body += piece

    def on_message_complete(self) -> None:
        """The end; an interim answer (1xx) is only the beginning."""
        if self._parser.get_status_code() < 200:
            self._reason, self._headers, self._has_headers = b"", HTTPHeaderDict(), False
            return
        self.keeps_alive = self._parser.should_keep_alive()
        self.is_complete = True


class _Response(requests.Response):
    """An answer that has been read: no cookies, no history, nothing left on the connection."""

    def __init__(
        self,
        request: requests.PreparedRequest,
        status: int,
        reason: str,
        headers: CaseInsensitiveDict[str],
        body: bytes,
    ) -> None:
        # Not the base's own: it makes a cookie jar, which costs more than all of this.
        self.request = request
        self.url = request.url or ""
        self.status_code = status
        self.reason = reason
        self.headers = headers
        self.encoding = _encoding_of(headers.get("Content-Type"))
        self.elapsed = timedelta(0)  # the trace tells the time of each call
        self.history = []
        self.raw = None
        self._content = body
        self._content_consumed = True
        self._next = None

    @cached_property
    def cookies(self) -> Any:  # type: ignore[override]
        """None are kept."""
        return requests.cookies.RequestsCookieJar()


def _bytes_of(request: requests.PreparedRequest, path: str, host: str) -> bytes:
    lines = [f"{request.method} {path} HTTP/1.1", f"Host: {host}"]
    for name, value in request.headers.items():
        check_header_validity((name, value))
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        lines.append(f"{name}: {text}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    body = request.body or b""
    return head.encode("latin-1") + (body.encode() if isinstance(body, str) else body)


@lru_cache(maxsize=64)
def _encoding_of(content_type: str | None) -> str | None:
    return get_encoding_from_headers({"content-type": content_type} if content_type else {})


def _decoded(body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
    """The body without its compression."""
    coded = HTTPResponse(io.BytesIO(body), headers=headers, preload_content=False)
    plain = bytearray()
    try:
        while piece := coded.read(_PIECE):
            plain += piece
            if len(plain) > limit:
                raise AnswerTooLarge(limit)
    except HTTPError as error:
        raise requests.exceptions.ContentDecodingError(error) from error
    return bytes(plain)
