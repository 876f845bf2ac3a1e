"""A base for CRM simulators: a real HTTP server on loopback that keeps state and breaks on demand.

A subclass says what a request means (``handle``) and what it holds (``state``). The base gives it
a port, a log of what arrived, faults that strike in a repeatable way, and a control endpoint under
``/__simulator__/`` for tests that run the simulator in a process of its own:

======  =======================  ================================================================
GET     ``state``                the whole state, as JSON
GET     ``requests``             the log, newest last (``?limit=N``), and counts per route
GET     ``faults``               the faults that can still strike
POST    ``faults``               adds one fault (an object with the fields of ``Fault``) or a list
DELETE  ``faults``               removes all faults
POST    ``reset``                the state as it was at the start, without log and faults
POST    ``actions/NAME``         what the subclass offers (``act``); the JSON body is its argument
======  =======================  ================================================================

Calls to the control endpoint are never logged, delayed or struck.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import signal
import socket
import socketserver
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any, ClassVar, Literal, Self, get_args
from urllib.parse import parse_qs

CONTROL_PREFIX = "/__simulator__/"
SECRET_HEADERS = frozenset({"authorization", "cookie", "app-token", "session-token", "x-api-key"})
LOGGED_BODY_BYTES = 64 * 1024
_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n" for s in HTTPStatus}
_NUMBER_SEGMENT = re.compile(r"(?<=/)\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client_address: str = "127.0.0.1"

    def json(self) -> Any:
        """The body as JSON; raises ``ValueError`` when it is none."""
        return json.loads(self.body)


@dataclass(slots=True)
class Response:
    """One answer. ``headers`` are sent beside Content-Type and Content-Length."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Self:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return cls(status, text.encode(), headers=headers or {})

    @classmethod
    def of_html(cls, page: str, status: int = 200) -> Self:
        return cls(status, page.encode(), "text/html; charset=UTF-8")


FaultKind = Literal[
    "latency", "slow", "hang", "status", "throttle", "html", "empty", "garbage",
    "drop_before", "drop_after",
]  # fmt: skip
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that breaks some requests, in the same way on every run.

    ================  ==========================================================================
    ``latency``       the true answer, ``seconds`` later (adds to other faults)
    ``slow``          the true answer, its bytes spread over ``seconds``
    ``hang``          no byte for ``seconds``, then the connection closes
    ``status``        ``status`` with ``body``
    ``throttle``      429 with ``Retry-After: retry_after``
    ``html``          200 with an HTML page (``body``, or a plain one)
    ``empty``         200 with nothing
    ``garbage``       200 that claims to be JSON and is cut in the middle
    ``drop_before``   the connection closes, the request has no effect
    ``drop_after``    the request takes effect, the connection closes without an answer
    ================  ==========================================================================

    Of the requests that match ``method`` (empty: any), ``path`` (a regular expression searched in
    path and query) and ``contains`` (a text in the body), the fault strikes ``times`` (None: for
    ever) beginning with the ``nth``, each with ``probability``, drawn from the simulator's seed.
    ``applied`` says whether a request that gets a broken answer takes effect all the same.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    contains: str = ""
    nth: int = 1
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 503
    body: str = ""
    content_type: str = ""
    retry_after: str = "1"
    applied: bool = False

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"unknown kind of fault {self.kind!r}; known: {FAULT_KINDS}")
        re.compile(self.path)

    def answer(self) -> Response:
        """The broken answer, for the kinds that have one."""
        html, plain = "text/html; charset=UTF-8", "application/json; charset=UTF-8"
        status, body, content_type = {
            "status": (self.status, self.body, html),
            "throttle": (429, self.body or '["ERROR","Too many requests"]', plain),
            "html": (200, self.body or "<!DOCTYPE html><title>Not now</title>", html),
            "empty": (200, "", html),
            "garbage": (200, self.body or '{"id": 4', plain),
        }[self.kind]
        headers = {"Retry-After": self.retry_after} if self.kind == "throttle" else {}
        return Response(status, body.encode(), self.content_type or content_type, headers)


class _Faults:
    """The faults that can still strike, and how often each was met."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            # Repeatable on purpose: a test that fails by chance must fail again.
            self._random = random.Random(self._seed)  # noqa: S311
            self._rules: list[tuple[Fault, re.Pattern[str], Counter[str]]] = []

    def add(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            for fault in faults:
                self._rules.append((fault, re.compile(fault.path), Counter()))

    def pending(self) -> list[Fault]:
        with self._lock:
            return [f for f, _, seen in self._rules if f.times is None or seen["struck"] < f.times]

    def strike(self, request: Request) -> list[Fault]:
        """The faults that strike this request: any latencies, then at most one other."""
        if not self._rules:
            return []
        target = f"{request.path}?{request.query}" if request.query else request.path
        chosen: list[Fault] = []
        with self._lock:
            for fault, pattern, seen in self._rules:
                if fault.times is not None and seen["struck"] >= fault.times:
                    continue
                if fault.method and fault.method != request.method:
                    continue
                if not pattern.search(target) or fault.contains.encode() not in request.body:
                    continue
                seen["met"] += 1
                if seen["met"] < fault.nth:
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                seen["struck"] += 1
                chosen.append(fault)
                if fault.kind != "latency":
                    break
        return chosen


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the request log. ``status`` is None when no answer was sent."""

    number: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    faults: tuple[str, ...]
    at: float
    seconds: float

    @property
    def text(self) -> str:
        """The body as text, cut to what the log keeps."""
        return self.body.decode("utf-8", "replace")

    def as_json(self) -> dict[str, Any]:
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "body"}
        return {**shown, "body": self.text}


class Simulator(ABC):
    """A CRM on loopback. Use it as a context manager, or ``start`` and ``stop`` it.

    ``service_time`` (seconds) is slept for every request, as a real server would work on it,
    outside of any lock but the one that ``turn`` gives. ``seed`` makes random faults repeatable.
    ``port`` 0 takes a free one and keeps it, so that a simulator that was stopped can be started
    again at the same address, with its state: an outage. ``clock`` gives seconds since the epoch;
    it may be replaced at any time, and dates that a simulator writes come from ``now``.
    """

    name: ClassVar[str] = "simulator"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        taken = sorted(
            name
            for name in vars(cls).keys() & vars(Simulator).keys()
            if name.startswith("_") and not name.startswith("__")
        )
        if taken:
            raise TypeError(f"{cls.__name__} uses names of Simulator itself: {', '.join(taken)}")

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        service_time: float = 0.0,
        seed: int = 0,
        log_size: int = 20_000,
        log_secrets: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host
        self.port = port
        self.service_time = service_time
        self.clock = clock
        #: Exceptions that ``handle`` raised: bugs of the simulator, answered with status 599.
        self.bugs: list[str] = []
        self._log_secrets = log_secrets
        self._faults = _Faults(seed)
        self._log: deque[LoggedRequest] = deque(maxlen=log_size)
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._log_lock = threading.Lock()
        self._server: _Server | None = None
        self._listener: threading.Thread | None = None
        self._stopping = threading.Event()

    # What a subclass says.

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Does what the request asks and answers as the real server would."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """The whole state, as values that JSON can hold."""

    def restore(self) -> None:  # noqa: B027 (a simulator without state needs none)
        """Puts the state back to what it was at the start."""

    def turn(self, _request: Request) -> contextlib.AbstractContextManager[object]:
        """What a request holds while it is served, a session's lock say."""
        return contextlib.nullcontext()

    def route(self, request: Request) -> str:
        """The name under which a request is counted: its path with numbers as ``{id}``."""
        return _NUMBER_SEGMENT.sub("{id}", request.path)

    def act(self, action: str, _argument: Any) -> Any:
        """Does something that is no request (over the control endpoint: ``actions/NAME``)."""
        raise LookupError(f"{self.name} has no action {action!r}")

    def now(self) -> float:
        """The time on the simulator's clock, in seconds since the epoch."""
        return self.clock()

    # Life.

    @property
    def url(self) -> str:
        """``http://host:port``, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listens, and returns once connections are taken."""
        if self._server is not None:
            return self
        self._stopping.clear()
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self._listener = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name=self.name, daemon=True
        )
        self._listener.start()
        return self

    def stop(self) -> None:
        """Stops listening and closes every open connection. The state stays."""
        server, self._server = self._server, None
        if server is None:
            return
        self._stopping.set()
        server.shutdown()
        if self._listener is not None:
            self._listener.join()
        server.server_close()
        server.close_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run_forever(self, started: Callable[[], None] | None = None) -> None:
        """Serves until SIGINT or SIGTERM: for a command line. ``started`` may announce it."""
        ended = threading.Event()
        previous = {
            number: signal.signal(number, lambda *_: ended.set())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            with self:
                if started is not None:
                    started()
                ended.wait()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def reset(self) -> None:
        """The state, the log and the faults as at the start."""
        self._faults.clear()
        self.clear_requests()
        self.restore()

    # Faults and log.

    def add_fault(self, *faults: Fault) -> None:
        """Adds rules; earlier ones go first."""
        self._faults.add(faults)

    def faults(self) -> list[Fault]:
        """The faults that can still strike."""
        return self._faults.pending()

    def clear_faults(self) -> None:
        self._faults.clear()

    def requests(self, method: str = "", path: str = "") -> list[LoggedRequest]:
        """The log, oldest first, of one method and of paths in which a pattern is found."""
        with self._log_lock:
            lines = list(self._log)
        found = re.compile(path).search
        return [
            line for line in lines if (not method or line.method == method) and found(line.path)
        ]

    def counts(self) -> dict[str, int]:
        """How many requests came per ``METHOD /route``; never cut, unlike the log."""
        with self._log_lock:
            return dict(self._counts)

    def clear_requests(self) -> None:
        with self._log_lock:
            self._log.clear()
            self._counts.clear()

    # Serving.

    def _serve(self, request: Request) -> tuple[Response | None, float]:
        """The answer (None: hang up without one) and the seconds to spread its bytes over."""
        started = time.time()
        faults = self._faults.strike(request)
        response: Response | None = None
        spread = 0.0
        try:
            response, spread = self._answer(request, faults)
        finally:
            self._record(request, response, faults, started)
        return response, spread

    def _answer(self, request: Request, faults: list[Fault]) -> tuple[Response | None, float]:
        for fault in faults:
            if fault.kind == "latency":
                self._stopping.wait(fault.seconds)
        breaking = faults[-1] if faults and faults[-1].kind != "latency" else None
        if breaking is None:
            return self._effect(request), 0.0
        if breaking.kind == "slow":
            return self._effect(request), breaking.seconds
        if breaking.applied or breaking.kind == "drop_after":
            self._effect(request)
        if breaking.kind == "hang":
            self._stopping.wait(breaking.seconds)
        if breaking.kind in ("hang", "drop_before", "drop_after"):
            return None, 0.0
        return breaking.answer(), 0.0

    def _effect(self, request: Request) -> Response:
        with self.turn(request):
            if self.service_time:
                time.sleep(self.service_time)
            return self.handle(request)

    def _record(
        self, request: Request, response: Response | None, faults: list[Fault], started: float
    ) -> None:
        headers = dict(request.headers)
        if not self._log_secrets:
            for secret in SECRET_HEADERS & headers.keys():
                headers[secret] = "***"
        route = f"{request.method} {self.route(request)}"
        with self._log_lock:
            self._number += 1
            self._counts[route] += 1
            self._log.append(
                LoggedRequest(
                    self._number,
                    request.method,
                    request.path,
                    request.query,
                    headers,
                    request.body[:LOGGED_BODY_BYTES],
                    response.status if response else None,
                    tuple(fault.kind for fault in faults),
                    started,
                    time.time() - started,
                )
            )

    def _control(self, request: Request) -> Response:
        what = f"{request.method} {request.path.removeprefix(CONTROL_PREFIX).rstrip('/')}"
        try:
            if what == "GET state":
                return Response.of_json(self.state())
            if what == "GET requests":
                limit = int(parse_qs(request.query).get("limit", ["1000"])[0])
                lines = [line.as_json() for line in self.requests()[-limit:]] if limit else []
                return Response.of_json({"counts": self.counts(), "requests": lines})
            if what == "POST faults":
                given = request.json()
                self.add_fault(
                    *(Fault(**one) for one in (given if isinstance(given, list) else [given]))
                )
            elif what == "DELETE faults":
                self.clear_faults()
            if what in ("GET faults", "POST faults", "DELETE faults"):
                return Response.of_json([asdict(fault) for fault in self.faults()])
            if what == "POST reset":
                self.reset()
                return Response.of_json({"ok": True})
            if what.startswith("POST actions/"):
                argument = request.json() if request.body else None
                return Response.of_json(self.act(what.removeprefix("POST actions/"), argument))
        except (ValueError, TypeError, re.error) as error:
            return Response.of_json({"error": str(error)}, 400)
        except LookupError as error:
            return Response.of_json({"error": str(error)}, 404)
        return Response.of_json({"error": f"no such control: {what}"}, 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A thread that hangs on purpose must not keep ``stop`` waiting.
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__((simulator.host, simulator.port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer asks the DNS for its own name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.simulator.host, self.server_address[1]

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
    server: _Server

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
        simulator = self.server.simulator
        if request.path.startswith(CONTROL_PREFIX):
            response: Response | None = simulator._control(request)
            spread = 0.0
        else:
            try:
                response, spread = simulator._serve(request)
            except Exception as error:  # a bug in a simulator must be seen by its tests
                simulator.bugs.append(f"{request.method} {request.path}: {error!r}")
                response, spread = Response.of_html(f"Simulator bug: {error!r}", 599), 0.0
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
            self.server.simulator._stopping.wait(spread / len(starts))
            self.connection.sendall(data[start : start + size])
