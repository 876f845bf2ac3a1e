"""The HTTP server of a simulator: real connections, kept alive, on loopback."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any

from hub.sdk.testing.exchange import Request, Response

#: Answers a request (``None``: hang up without an answer), and says how many seconds to spread the
#: answer's bytes over.
Serve = Callable[[Request], tuple[Response | None, float]]
Pause = Callable[[float], object]

_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n" for s in HTTPStatus}


class Server(ThreadingHTTPServer):
    """Gives each request to ``serve``; ``pause`` waits between the bytes of a slow answer."""

    daemon_threads = True
    # A thread that hangs on purpose must not keep ``stop`` waiting.
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, host: str, port: int, serve: Serve, pause: Pause) -> None:
        self.host = host
        self.serve = serve
        self.pause = pause
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer asks the DNS for its own name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    def remember(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a client that hangs up is part of the play."""


class _Connection(socketserver.StreamRequestHandler):
    """One kept-alive connection. Parses by hand: the standard handler costs more than the play."""

    disable_nagle_algorithm = True
    rbufsize = 64 * 1024
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.remember(self.connection)

    def finish(self) -> None:
        self.server.forget(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            for request in self._requests():
                if not self._answer(request):
                    return

    def _requests(self) -> Iterator[Request]:
        client_address = self.client_address[0]
        while line := self.rfile.readline(1 << 16):
            if line in (b"\r\n", b"\n"):
                continue
            try:
                method, target, protocol = line.decode("latin-1").split()
            except ValueError:
                self._send(Response.of_html("Bad request", 400), close=True)
                return
            headers: dict[str, str] = {}
            while (line := self.rfile.readline(1 << 16)) not in (b"\r\n", b"\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            if "transfer-encoding" in headers:
                self._send(Response.of_html("Length required", 411), close=True)
                return
            if headers.get("expect", "").lower() == "100-continue":
                self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = int(headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else b""
            path, _, query = target.partition("?")
            yield Request(method, path, query, headers, body, client_address)
            if protocol == "HTTP/1.0" or headers.get("connection", "").lower() == "close":
                return

    def _answer(self, request: Request) -> bool:
        """Whether the connection goes on."""
        response, spread = self.server.serve(request)
        if response is None:
            return False
        close = request.headers.get("connection", "").lower() == "close"
        self._send(response, close=close, spread=spread, with_body=request.method != "HEAD")
        return not close

    def _send(
        self, response: Response, *, close: bool, spread: float = 0.0, with_body: bool = True
    ) -> None:
        status_line = _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} -\r\n"
        extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
        if close:
            extra += "Connection: close\r\n"
        head = (
            f"{status_line}Content-Type: {response.content_type}\r\n"
            f"Content-Length: {len(response.body)}\r\n{extra}\r\n"
        )
        data = head.encode("latin-1") + (response.body if with_body else b"")
        if not spread:
            self.connection.sendall(data)
            return
        size = max(1, -(-len(data) // 20))
        starts = range(0, len(data), size)
        for start in starts:
            self.server.pause(spread / len(starts))
            self.connection.sendall(data[start : start + size])
