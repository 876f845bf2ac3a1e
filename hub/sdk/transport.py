"""What carries the calls of a plugin, and how much of an answer it takes.

There are two: ``SessionTransport`` lends itself to any session of requests; the hub brings its own
(``hub.outbound.transport``), which is many times quicker. Both answer as requests does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import requests

#: The largest body, in bytes and without its compression, that is taken of an answer by default.
LARGEST_ANSWER = 16 * 2**20
_PIECE = 65_536
#: Bytes that a piece of a large body has at least, on average.
_SMALL_PIECE = 64

#: Seconds to wait for a connection and for an answer: one number for both, or one for each.
Timeout = float | tuple[float, float]


class AnswerTooLarge(requests.RequestException):
    """A remote sent more than is taken; ``limit`` is what that is, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an answer of more than {limit} bytes")
        self.limit = limit


class Transport(ABC):
    """Carries calls and brings back whole answers. Not shared between threads."""

    @abstractmethod
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
        """Send one request and read its answer. The parameters mean what they mean to requests;
        ``max_bytes`` bounds the body, without its compression.

        :raises AnswerTooLarge: it is larger.
        :raises requests.RequestException: no answer came.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SessionTransport(Transport):
    """Calls over a session of requests."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

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
        """See ``Transport``."""
        response = self._session.request(
            method,
            url,
            params=params,
            json=json,
            data=data,
            files=files,
            headers=headers,
            timeout=timeout,
            allow_redirects=allow_redirects,
            stream=True,  # it is read here, within its bound
        )
        read_within(response, max_bytes)
        return response

    def close(self) -> None:
        """See ``Transport``."""
        self._session.close()


def read_within(response: requests.Response, limit: int) -> None:
    """Read the body of a streamed answer, or look at one that has been read.

    :raises AnswerTooLarge: it is larger than ``limit`` bytes. No more was read, and its connection
        is closed.
    :raises requests.RequestException: as requests would, or it comes in too many pieces.
    """
    try:
        if hasattr(response.raw, "stream"):
            response.raw = _BoundedBody(response.raw, response.headers, limit)
        if len(response.content or b"") > limit:
            raise AnswerTooLarge(limit)
    except BaseException:
        response.close()
        raise


class _BoundedBody:
    """The body of an answer as urllib3 brings it. No more than ``limit`` bytes of it are read."""

    def __init__(self, body: Any, headers: Mapping[str, str], limit: int) -> None:
        self._body = body
        self._headers = headers
        self._limit = limit

    def stream(self, _: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Called by requests to read it."""
        if says_more_than(self._limit, self._headers):
            raise AnswerTooLarge(self._limit)
        taken = 0
        for number, piece in enumerate(self._body.stream(_PIECE, decode_content=decode_content)):
            stands_in_few_pieces(number, self._limit)
            taken += len(piece)
            if taken > self._limit:
                raise AnswerTooLarge(self._limit)
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)


def stands_in_few_pieces(pieces: int, limit: int) -> None:
    """Return if so many pieces (chunks) are no more than a body of ``limit`` bytes comes in.

    :raises requests.RequestException: they are: one byte a piece costs seconds of CPU.
    """
    if pieces > limit // _SMALL_PIECE + 1_000:
        raise requests.exceptions.ChunkedEncodingError("the answer came in too many small pieces")


def says_more_than(limit: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer announces a longer body."""
    length = headers.get("Content-Length", "")
    return length.isdecimal() and (len(length) > len(str(limit)) or int(length) > limit)
