"""The supervisor: runs child processes, replaces those that crash, and stops all in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub import log
from hub.fleet import orphan

#: Seconds before a crashed child is started again: doubled with each crash in a row.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A child that ran for so many seconds has not crashed in a row.
STEADY = 60.0
#: Seconds that a child has to finish its work when told to stop.
GRACE = 60.0
#: Set for a child that replaces one that died; holds the pid of that.
PREDECESSOR = "HUB_PREDECESSOR_PID"

_log = log.get(__name__)


def hub_command(*arguments: str) -> list[str]:
    """The command line that runs ``hub`` with the same Python."""
    return [sys.executable, "-m", "hub", *arguments]


@dataclass
class Child:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    #: The descriptors that it inherits.
    inherits: Sequence[int] = ()
    #: Seconds before a start after a crash, at most; none: ``LONGEST_PAUSE``.
    longest_pause: float | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    crashes: int = 0
    start_after: float = 0.0
    #: The pid of the process that this one replaces.
    predecessor: int | None = None


class Supervisor:
    """Keeps children running until it is told to stop, then stops them, the last started first."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._stopping = False

    def add(self, child: Child) -> None:
        """Start a child."""
        self._children.append(child)
        self._start(child)

    def stop_on_signals(self) -> None:
        """Stop when the process gets SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Make ``run`` return."""
        self._stopping = True

    def run(self) -> None:
        """Watch the children until told to stop; then stop them."""
        try:
            while not self._stopping:
                for child in self._children:
                    self._look_after(child)
                time.sleep(0.2)
        finally:
            self.stop_children()

    def stop_children(self) -> None:
        """Stop all children in reverse order, each after those that need it have ended."""
        for child in reversed(self._children):
            process = child.process
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                _log.warning("child did not stop in time and is killed", child=child.name)
                process.kill()
                process.wait()

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        # Its own session: a Ctrl-C reaches the supervisor alone, which stops all in order.
        environment = {
            **os.environ,
            **child.environment,
            orphan.VARIABLE: str(os.getpid()),
            PREDECESSOR: str(child.predecessor or ""),
        }
        child.process = subprocess.Popen(
            child.command, env=environment, start_new_session=True, pass_fds=child.inherits
        )

    def _look_after(self, child: Child) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            self._bury(child, child.process, code)
        if time.monotonic() >= child.start_after:
            self._start(child)

    def _bury(self, child: Child, process: subprocess.Popen[bytes], code: int) -> None:
        steady = time.monotonic() - child.started_at > STEADY
        child.crashes = 1 if steady else child.crashes + 1
        longest = LONGEST_PAUSE if child.longest_pause is None else child.longest_pause
        pause = min(longest, FIRST_PAUSE * 2 ** min(child.crashes - 1, 30))
        _log.error("child ended and is started again", child=child.name, code=code, seconds=pause)
        child.process, child.predecessor = None, process.pid
        child.start_after = time.monotonic() + pause
