"""Transports: they carry the calls of a plugin, and bound the size of an answer.

There are two. ``SessionTransport`` uses any session of requests. The hub has one of its own
(``hub.outbound.transport``), which is many times faster. Both return the responses of requests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import requests

#: The largest body of an answer that is accepted by default, in bytes after decompression.
LARGEST_ANSWER = 16 * 2**20
_PIECE = 65_536
#: The pieces of a large body must have at least this many bytes on average.
_SMALL_PIECE = 64

#: Seconds to wait for a connection and for an answer: one number for both, or a pair.
Timeout = float | tuple[float, float]


class AnswerTooLarge(requests.RequestException):
    """A remote sent more than ``limit`` bytes, which is the most that is accepted."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"an answer of more than {limit} bytes")
        self.limit = limit


class Transport(ABC):
    """Sends calls and returns whole answers. Not shared between threads."""

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
        """Send one request and read its answer. The parameters are those of requests.
        ``max_bytes`` is the largest body that is accepted, measured after decompression.

        :raises AnswerTooLarge: the body is larger.
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
            stream=True,  # the body is read below, up to the limit
        )
        read_within(response, max_bytes)
        return response

    def close(self) -> None:
        """See ``Transport``."""
        self._session.close()


def read_within(response: requests.Response, limit: int) -> None:
    """Read the body of a streamed answer, or check one that has been read already.

    :raises AnswerTooLarge: it is larger than ``limit`` bytes. No more was read, and its connection
        is closed.
    :raises requests.RequestException: requests raises it, or the body comes in too many pieces.
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
    """The body of an answer from urllib3. At most ``limit`` bytes of it are read."""

    def __init__(self, body: Any, headers: Mapping[str, str], limit: int) -> None:
        self._body = body
        self._headers = headers
        self._limit = limit

    def stream(self, _: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Called by requests to read the body."""
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
    """Check that a body of ``limit`` bytes may come in this many pieces (chunks).

    :raises requests.RequestException: there are too many. Pieces of one byte cost seconds of CPU.
    """
    if pieces > limit // _SMALL_PIECE + 1_000:
        raise requests.exceptions.ChunkedEncodingError("the answer came in too many small pieces")


def says_more_than(limit: int, headers: Mapping[str, str]) -> bool:
    """Whether the headers of an answer announce a larger body."""
    length = headers.get("Content-Length", "")
    return length.isdecimal() and (len(length) > len(str(limit)) or int(length) > limit)
