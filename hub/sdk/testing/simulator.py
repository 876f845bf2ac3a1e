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
import re
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs

from hub.sdk.testing.exchange import LoggedRequest, Request, Response
from hub.sdk.testing.faults import FAULT_KINDS, Fault, FaultKind, Faults
from hub.sdk.testing.server import Server

__all__ = [
    "CONTROL_PREFIX",
    "FAULT_KINDS",
    "LOGGED_BODY_BYTES",
    "SECRET_HEADERS",
    "Fault",
    "FaultKind",
    "LoggedRequest",
    "Request",
    "Response",
    "Simulator",
]

CONTROL_PREFIX = "/__simulator__/"
SECRET_HEADERS = frozenset({"authorization", "cookie", "app-token", "session-token", "x-api-key"})
LOGGED_BODY_BYTES = 64 * 1024
_NUMBER_SEGMENT = re.compile(r"(?<=/)\d+(?=/|$)")


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
        self._faults = Faults(seed)
        self._log: deque[LoggedRequest] = deque(maxlen=log_size)
        self._counts: Counter[str] = Counter()
        self._number = 0
        self._log_lock = threading.Lock()
        self._server: Server | None = None
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
        self._server = Server(self.host, self.port, self._serve, self._stopping.wait)
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
        if request.path.startswith(CONTROL_PREFIX):
            return self._control(request), 0.0
        try:
            started = time.time()
            faults = self._faults.strike(request)
            response: Response | None = None
            try:
                response, spread = self._answer(request, faults)
            finally:
                self._record(request, response, faults, started)
        except Exception as error:  # a bug in a simulator must be seen by its tests
            self.bugs.append(f"{request.method} {request.path}: {error!r}")
            return Response.of_html(f"Simulator bug: {error!r}", 599), 0.0
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
