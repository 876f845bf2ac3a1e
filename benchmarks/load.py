"""A light load client: raw sockets in a process of its own, since client and server share cores."""

from __future__ import annotations

import multiprocessing
import select
import socket
import statistics
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

#: Fresh processes, not forks: this one may have threads.
_context = multiprocessing.get_context("spawn")


class Refused(Exception):
    """A request was not answered with 2xx."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: when it began (since 1970), how long it took, and each latency."""

    began: float
    seconds: float
    latencies: Sequence[float]

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many percent were answered."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1000


def send(
    port: int, requests: Sequence[bytes], *, connections: int = 32, rate: float | None = None
) -> Load:
    """Send all requests over kept-alive connections.

    Without a rate, each connection sends its next request when it has its answer. With one, a
    request is sent when its time has come, and its latency counts from that time, so that a stall
    of the server is seen by all who would have come meanwhile.

    :raises Refused: an answer was not 2xx.
    """
    with ProcessPoolExecutor(1, mp_context=_context) as pool:
        return pool.submit(_send, port, requests, connections, rate).result()


def _send(port: int, requests: Sequence[bytes], connections: int, rate: float | None) -> Load:
    poll = select.epoll()
    idle = [_Connection(port) for _ in range(connections)]
    by_number = {connection.socket.fileno(): connection for connection in idle}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    began, started = time.time(), time.perf_counter()
    waiting = deque(
        (started + place / rate if rate else 0.0, request) for place, request in enumerate(requests)
    )
    latencies: list[float] = []
    while len(latencies) < len(requests):
        now = time.perf_counter()
        while waiting and idle and waiting[0][0] <= now:
            idle.pop().send(*waiting.popleft())
        pause = waiting[0][0] - now if waiting and idle else -1
        for number, _ in poll.poll(pause):
            connection = by_number[number]
            if connection.receive():
                latencies.append(time.perf_counter() - connection.began)
                idle.append(connection)
    seconds = time.perf_counter() - started
    for connection in by_number.values():
        connection.socket.close()
    return Load(began, seconds, latencies)


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._answer = b""

    def send(self, due: float, request: bytes) -> None:
        self.began = due or time.perf_counter()
        self._answer = b""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Whether the answer is complete."""
        piece = self.socket.recv(65_536)
        self._answer += piece
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not piece or (found and not head.startswith(b"HTTP/1.1 2")):
            raise Refused(self._answer.decode("latin-1") or "the connection was closed")
        if not found:
            return False
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return len(body) >= int(length)
