"""An ordinary call's answer: llhttp, Node's parser, reads it, and it is given as requests would."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache

import httptools
import requests
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import HTTPError

from hub.sdk.transport import AnswerTooLarge, says_more_than, stands_in_few_pieces

#: Bytes of headers that are taken of an answer, with those of interim answers before it.
_LARGEST_HEAD = 262_144
#: Bytes of a compressed body that are read at a time.
_PIECE = 65_536


class Request:
    """An ordinary call: a method, an address in its final form, headers and maybe a body."""

    __slots__ = ("body", "headers", "method", "origin", "path")

    def __init__(
        self, method: str, origin: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> None:
        self.method = method
        self.origin = origin
        self.path = path
        self.headers = headers
        self.body = body

    @property
    def url(self) -> str:
        """The whole address."""
        return self.origin + self.path

    def as_of_requests(self) -> requests.PreparedRequest:
        """The same, as an answer or an error of requests tells what was asked."""
        request = requests.PreparedRequest()
        request.method = self.method
        request.url = self.url
        request.headers = CaseInsensitiveDict(self.headers)
        request.body = self.body
        return request


class Answer:
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

    def response(self, request: Request) -> requests.Response:
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
        request: Request,
        status: int,
        reason: str,
        headers: CaseInsensitiveDict[str],
        body: bytes,
    ) -> None:
        # Not the base's own: it makes a cookie jar, which costs more than all of this.
        self.__dict__.update(_NEW)
        self._asked = request
        self.url = request.url
        self.status_code = status
        self.reason = reason
        self.headers = headers
        self.encoding = _encoding_of(headers.get("Content-Type"))
        self.history = []
        self.raw = _Body(body)

    @cached_property
    def request(self) -> requests.PreparedRequest:  # type: ignore[override]
        """What was asked."""
        return self._asked.as_of_requests()

    @cached_property
    def cookies(self) -> RequestsCookieJar:  # type: ignore[override]
        """None are kept."""
        return RequestsCookieJar()


#: What a new answer of requests holds, but for what is made when somebody looks at it. The time
#: that it took stays 0: the trace tells that of each call.
_NEW = {
    name: value
    for name, value in vars(requests.Response()).items()
    if name not in ("cookies", "request")
}


class _Body:
    """A body that has been read, for requests to read once more."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, _: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """All of it."""
        yield self._body

    def close(self) -> None:
        """Nothing is open."""


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
