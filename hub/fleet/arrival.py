"""A request on its way in: its bytes are gathered until it is whole.

Only the framing is looked at. What is whole is read by the server's own parser, which refuses what
is wrong in it; whatever frames a request in a way that the two could read differently is refused
here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Bytes of a body: those of the largest webhook.
MOST_BYTES = 8 * 1024 * 1024
#: Bytes of the head, and of trailers.
MOST_HEAD = 64 * 1024
#: Chunks of a body: the parser works for each of them.
MOST_CHUNKS = 16 * 1024
#: Bytes of the line before a chunk.
_MOST_LINE = 1024

_END = b"\r\n\r\n"
_HEX = frozenset(b"0123456789abcdefABCDEF")


class Refused(Exception):
    """The request is not taken; ``status`` is the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(eq=False)
class Arrival:
    """What has come of one request."""

    #: When it began, on a clock that nobody sets.
    began: float
    data: bytearray = field(default_factory=bytearray)
    #: Its head is there, and asks for a word before the body is sent.
    expects_word: bool = False
    #: Where the body begins.
    _body: int = -1
    #: The length of the body; ``None``: it comes in chunks.
    _length: int | None = 0
    #: Where the next chunk begins, and the bytes and number of the chunks before it.
    _chunk: int = 0
    _chunked: int = 0
    _chunks: int = 0

    @property
    def has_head(self) -> bool:
        """Whether the head is there."""
        return self._body >= 0

    def add(self, data: bytes) -> bool:
        """Take what has come; whether the request is whole.

        :raises Refused: it is too large, or nobody can tell where it ends.
        """
        seen = len(self.data)
        self.data += data
        if not self.has_head and not self._read_head(max(0, seen - len(_END) + 1)):
            return False
        if self._length is not None:
            return len(self.data) >= self._body + self._length
        return self._all_chunks()

    def _read_head(self, since: int) -> bool:
        end = self.data.find(_END, since)
        if end > MOST_HEAD or (end < 0 and len(self.data) > MOST_HEAD):
            raise Refused(431, "The head of the request is too large.")
        if end < 0:
            return False
        self._body = self._chunk = end + len(_END)
        lengths, encodings = [], []
        first, *lines = self.data[:end].split(b"\r\n")
        for line in lines:
            name, _, value = line.partition(b":")
            name = name.lower()
            if name == b"content-length":
                lengths.append(value.strip())
            elif name == b"transfer-encoding":
                encodings.append(value.strip().lower())
            elif name == b"expect":
                # HTTP/1.0 knows no such word, and would take it for the answer.
                expected = value.strip().lower() == b"100-continue"
                self.expects_word = expected and not first.endswith(b"HTTP/1.0")
        if encodings:
            if encodings != [b"chunked"] or lengths:
                raise Refused(400, "The body must have a length, or come in chunks.")
            self._length = None
        elif lengths:
            if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 18:
                raise Refused(400, "The body's length is no number.")
            self._length = int(lengths[0])
            _check(self._length)
        return True

    def _all_chunks(self) -> bool:
        while True:
            end = self.data.find(b"\r\n", self._chunk, self._chunk + _MOST_LINE)
            if end < 0:
                if len(self.data) - self._chunk > _MOST_LINE:
                    raise Refused(400, "The line before a chunk is too long.")
                return False
            size = _size(self.data[self._chunk : end])
            if size == 0:
                return self._read_trailers(end)
            _check(self._chunked + size)
            if self._chunks == MOST_CHUNKS:
                raise Refused(413, f"The body comes in more than {MOST_CHUNKS} chunks.")
            following = end + 2 + size + 2
            if len(self.data) < following:
                return False
            self._chunk = following
            self._chunked += size
            self._chunks += 1

    def _read_trailers(self, since: int) -> bool:
        if self.data.find(_END, since) >= 0:
            return True
        if len(self.data) - since > MOST_HEAD:
            raise Refused(431, "The trailers of the request are too large.")
        return False


def _size(line: bytearray) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
        raise Refused(400, "The size of a chunk is no number.")
    return int(digits, 16)


def _check(length: int) -> None:
    if length > MOST_BYTES:
        raise Refused(413, f"The body is larger than {MOST_BYTES} bytes.")
