"""Faults: how a simulator breaks some requests, in the same way on every run."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from hub.sdk.testing.exchange import Request, Response

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


class Faults:
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
