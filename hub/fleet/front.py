"""The web server's front: a connection takes a thread when its request is there, and not before.

Gunicorn's own worker gives each new connection a thread, which waits for the request byte by byte:
as many slow connections as there are threads stop the inbox. Here one loop gathers what comes. A
thread is given a whole request; what does not come in time is closed.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import struct
import time
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from hub import log
from hub.database import JsonText
from hub.fleet.arrival import Arrival, Refused

#: Seconds in which the head of a request must be there, and in which all of it.
HEAD, WHOLE = 10.0, 30.0
#: Connections of one process; one more closes the one that has waited longest.
CONNECTIONS = 2000
#: Bytes of unfinished requests that a process holds; more closes the oldest large one.
HELD = 64 * 1024 * 1024
#: A request is large from so many bytes on.
LARGE = 64 * 1024
#: Seconds for which a thread waits for a client to take its answer.
ANSWER = 10
#: Seconds for which a client's last bytes are read and thrown away, so that it sees its answer.
LINGER = 2.0
#: Seconds between two looks at the clock.
LOOK = 0.5
#: Descriptors that a process needs for other things.
OTHERS = 500
_READ = 64 * 1024

_log = log.get(__name__)


class Gathered(SocketUnreader):  # type: ignore[misc]
    """Gives gunicorn's parser what has come, in pieces as a socket gives them.

    The parser copies the rest of a piece with each chunk that it finds in it."""

    def __init__(self, sock: socket.socket, data: bytearray) -> None:
        super().__init__(sock)
        self._data = data
        self._given = 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Called by gunicorn: the next piece; none is left of a request that is whole."""
        size = min(max(self.mxchunk, size_hint or 0), self.max_body_chunk)
        piece = bytes(self._data[self._given : self._given + size])
        self._given += len(piece)
        return piece

    def take_buffered(self) -> bytes:
        """What the parser has not read: it belongs to the next request."""
        rest: bytes = super().take_buffered() + bytes(self._data[self._given :])
        self._given = len(self._data)
        return rest


class Connection(TConn):  # type: ignore[misc]
    """A connection, with the request that comes or has come over it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.data_ready = True  # a thread gets it with a whole request
        self.arrival = Arrival(time.monotonic())
        #: Whether the loop looks for its next byte.
        self.watched = False
        #: When it began to leave.
        self.since = 0.0

    def init(self) -> None:
        """Called by gunicorn in the thread, before it parses."""
        super().init()
        self.parser.unreader = Gathered(self.sock, self.arrival.data)
        self.arrival = Arrival(0.0)


class FrontWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's threaded worker, with this front."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # In the order in which they began.
        self._arriving: dict[Connection, None] = {}
        self._leaving: dict[Connection, None] = {}
        self._held = 0
        self._most = CONNECTIONS
        self._next_look = 0.0
        self._told_at = 0.0

    def init_process(self) -> None:
        """Called by gunicorn in the new process."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if resource.RLIM_INFINITY not in (soft, hard) and soft < CONNECTIONS + OTHERS:
            soft = min(CONNECTIONS + OTHERS, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            self._most = min(CONNECTIONS, max(soft - OTHERS, soft // 2))
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Called by gunicorn's loop: somebody knocks."""
        try:
            opened, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", ANSWER, 0))
        self.nr_conns += 1
        if self.nr_conns > self._most:
            self._make_room()
        self._begin(Connection(self.cfg, opened, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Called by gunicorn's loop: a kept connection brings its next request."""
        if conn not in self.keepalived_conns:
            return  # closed to make room, by what came in the same moment
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        conn.arrival = Arrival(time.monotonic())
        self._begin(conn)

    def murder_pending(self) -> None:
        """Called by gunicorn's loop, each time: close what has not come in time."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK
        for conn in list(self._arriving):
            age, arrival = now - conn.arrival.began, conn.arrival
            if not arrival.data and (age > HEAD or (not self.alive and age > LINGER)):
                self._forget(conn)
                self._drop(conn)
            elif age > (WHOLE if arrival.has_head else HEAD):
                self._refuse(conn, Refused(408, "The request did not come in time."))
        for conn in [conn for conn in self._leaving if now - conn.since > LINGER]:
            self._leave(conn)

    def finish_request(self, conn: Connection, future: Future[bool]) -> None:
        """Called by gunicorn's loop: a thread is done with a request."""
        keep = not future.cancelled() and future.exception() is None and future.result()
        if not keep:
            self._say_goodbye(conn)
            return
        rest = conn.parser.unreader.take_buffered()
        try:
            conn.sock.setblocking(False)
        except OSError:
            self._drop(conn)
            return
        if rest:  # its next request has come with the last
            conn.arrival = Arrival(time.monotonic())
            self._begin(conn, rest)
            return
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        readable = partial(self.on_client_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _begin(self, conn: Connection, data: bytes = b"") -> None:
        self._arriving[conn] = None
        if data:
            self._take(conn, data)
        else:
            self._read(conn)  # most requests are there by now
        if conn in self._arriving:
            conn.watched = True
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn))

    def _read(self, conn: Connection, _: Any = None) -> None:
        if conn not in self._arriving:
            return  # closed to make room, by what came in the same moment
        try:
            data = conn.sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(conn, data)
        else:
            self._forget(conn)
            self._drop(conn)

    def _take(self, conn: Connection, data: bytes) -> None:
        arrival = conn.arrival
        self._held += len(data)
        try:
            whole = arrival.add(data)
        except Refused as refusal:
            self._refuse(conn, refusal)
            return
        if whole:
            self._forget(conn)
            self.enqueue_req(conn)
            return
        if arrival.expects_word:
            arrival.expects_word = False
            self._say(conn, b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._held > HELD:
            self._make_room(LARGE)

    def _forget(self, conn: Connection) -> None:
        """It arrives no longer."""
        del self._arriving[conn]
        self._held -= len(conn.arrival.data)
        if conn.watched:
            conn.watched = False
            self.poller.unregister(conn.sock)

    def _make_room(self, least: int = 0) -> None:
        """Close the connection that has waited longest, of those that hold so many bytes.

        Before those that wait for an answer: those that have had theirs."""
        if not least and self._leaving:
            self._leave(next(iter(self._leaving)))
            return
        if time.monotonic() > self._told_at + 60:
            self._told_at = time.monotonic()
            _log.warning(
                "too many slow connections: those that have waited longest are closed",
                connections=self.nr_conns,
                bytes=self._held,
            )
        if not least and self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)
            return
        for conn in self._arriving:
            if len(conn.arrival.data) >= least:
                self._forget(conn)
                self._drop(conn)
                return

    def _refuse(self, conn: Connection, refusal: Refused) -> None:
        line = bytes(conn.arrival.data[:200]).split(b"\r\n")[0]
        path = line.split(b"?")[0].rsplit(b" HTTP/")[0].split(b"/")[1:3]
        _log.warning(
            "request refused",
            status=refusal.status,
            reason=str(refusal),
            path=b"/".join(path).decode("ascii", "replace"),  # never the token behind it
        )
        self._forget(conn)
        body = JsonText.of({"error": str(refusal)}).encode()
        self._say(
            conn,
            f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body,
        )
        self._say_goodbye(conn)

    @staticmethod
    def _say(conn: Connection, data: bytes) -> None:
        try:
            conn.sock.send(data)
        except OSError:
            return  # it hears nothing; its end is seen by the next read

    def _say_goodbye(self, conn: Connection) -> None:
        """Close our side, and wait for theirs: what they still send would break the answer off.

        Gunicorn waits in its loop, two seconds for each who does not close."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.since = time.monotonic()
        self._leaving[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: Connection, _: Any) -> None:
        if conn not in self._leaving:
            return  # closed to make room, by what came in the same moment
        try:
            if conn.sock.recv(_READ):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._leave(conn)

    def _leave(self, conn: Connection) -> None:
        del self._leaving[conn]
        self.poller.unregister(conn.sock)
        self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()
