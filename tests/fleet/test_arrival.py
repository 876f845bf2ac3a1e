"""A request is whole when its last byte is there: not before, whatever pieces it comes in."""

from __future__ import annotations

import pytest

from hub.fleet.arrival import MOST_BYTES, MOST_CHUNKS, MOST_HEAD, Arrival, Refused

HEAD = b"POST /webhooks/chatwoot/x HTTP/1.1\r\nHost: hub\r\n"
WHOLE = {
    "no body": b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n",
    "empty body": HEAD + b"Content-Length: 0\r\n\r\n",
    "a length": HEAD + b"content-length: 12\r\n\r\nhello\r\n\r\nyou",
    "chunks": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10;a=b\r\n0123456789abcdef\r\n0\r\n\r\n",
    "a chunk that looks like the end": HEAD
    + b"Transfer-Encoding: Chunked\r\n\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
    "trailers": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: y\r\n\r\n",
}


def come(data: bytes, size: int) -> list[bool]:
    arrival = Arrival(0.0)
    return [arrival.add(data[at : at + size]) for at in range(0, len(data), size)]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_it_is_whole_with_its_last_byte(name, size):
    *before, last = come(WHOLE[name], size)
    assert last
    assert not any(before)


def test_what_follows_belongs_to_the_next_request():
    assert come(WHOLE["a length"] + WHOLE["chunks"], 10_000) == [True]


REFUSED = {
    "two lengths": (400, b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
    "a length and chunks": (400, b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "another encoding": (400, b"Transfer-Encoding: gzip\r\n\r\n"),
    "two encodings": (400, b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "a length that is none": (400, b"Content-Length: +3\r\n\r\n"),
    "a negative length": (400, b"Content-Length: -3\r\n\r\n"),
    "a size that is none": (400, b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n"),
    "an endless line before a chunk": (400, b"Transfer-Encoding: chunked\r\n\r\n" + b"5" * 2_000),
    "a length that is too large": (413, b"Content-Length: %d\r\n\r\n" % (MOST_BYTES + 1)),
    "a chunk that is too large": (413, b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n"),
    "chunks that are too large together": (
        413,
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 129,
    ),
    "too many chunks": (
        413,
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * (MOST_CHUNKS + 1),
    ),
    "a head that is too large": (431, b"X: " + b"x" * MOST_HEAD + b"\r\n\r\n"),
    "a head without an end": (431, b"X: " + b"x" * MOST_HEAD),
    "trailers without an end": (
        431,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * MOST_HEAD,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("size", [1_000, 10_000_000])
def test_what_is_too_large_or_has_no_clear_end_is_refused(name, size):
    status, rest = REFUSED[name]
    with pytest.raises(Refused) as caught:
        come(HEAD + rest, size)
    assert caught.value.status == status


def test_the_largest_body_is_taken():
    assert come(HEAD + b"Content-Length: %d\r\n\r\n" % MOST_BYTES + b"x" * MOST_BYTES, 65_536)[-1]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_only_who_knows_the_word_before_the_body_gets_it(version):
    arrival = Arrival(0.0)
    head = f"POST /x HTTP/{version}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert not arrival.add(head.encode())
    assert arrival.expects_word == (version == "1.1")
