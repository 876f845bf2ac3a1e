"""The supervisor: runs child processes, replaces those that crash, and stops all in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hub import log
from hub.fleet import orphan

#: Seconds before a crashed child is started again: doubled with each crash in a row.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: A child that ran for so many seconds has not crashed in a row.
STEADY = 60.0
#: Seconds that a child has to finish its work when told to stop.
GRACE = 60.0
#: Seconds between two looks.
LOOK = 0.2
#: Seconds that the system may take to end what was killed.
KILLED = 5.0
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
    #: Seconds that it has to finish its work when told to stop; what it has started has less.
    grace: float = GRACE
    #: Whether the others are of no use if it cannot start at all.
    vital: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    crashes: int = 0
    start_after: float = 0.0
    #: The pid of the process that this one replaces.
    predecessor: int | None = None

    def lives(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.poll() is None

    def tell_to_stop(self) -> None:
        """Send SIGTERM."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Wait for its end; kill it after the deadline, and what is left of what it started."""
        assert self.process is not None
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("child did not stop in time and is killed", child=self.name)
            self.process.kill()
        self.process.wait()
        give_up = time.monotonic() + KILLED
        while _signal_group(self.process.pid, signal.SIGKILL) and time.monotonic() < give_up:
            time.sleep(LOOK / 10)


class CannotStart(Exception):
    """A child without which the others are of no use cannot start."""


class Supervisor:
    """Keeps children running until it is told to stop, then stops them, the last started first.

    ``together``: all at once, where none needs another. Whatever a child has started ends with it:
    it stands in the child's process group.
    """

    def __init__(self, *, together: bool = False) -> None:
        self._children: list[Child] = []
        self._together = together
        self._stopping = False
        #: The groups of children that have ended, and when what is left of them is killed.
        self._left: dict[int, float] = {}

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
        """Watch the children until told to stop; then stop them.

        :raises CannotStart: a vital one has ended by itself as soon as it was started.
        """
        try:
            while not self._stopping:
                for child in self._children:
                    self._look_after(child)
                self._clear_away()
                time.sleep(LOOK)
        finally:
            self.stop_children()

    def stop_children(self) -> None:
        """Stop all children in reverse order, each after those that need it have ended."""
        living = [child for child in reversed(self._children) if child.lives()]
        if self._together:
            for child in living:
                child.tell_to_stop()
        began = time.monotonic()
        for child in living:
            if not self._together:
                child.tell_to_stop()
                began = time.monotonic()
            child.end(began + child.grace)
        while self._left:
            self._clear_away()
            time.sleep(LOOK / 10)

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        # Its own session: a Ctrl-C reaches the supervisor alone, which stops all in order. What a
        # supervised process starts stays in that session, and so within reach of the outer one.
        alone = orphan.VARIABLE not in os.environ
        environment = {
            **os.environ,
            **child.environment,
            orphan.VARIABLE: str(os.getpid()),
            PREDECESSOR: str(child.predecessor or ""),
        }
        child.process = subprocess.Popen(
            child.command,
            env=environment,
            start_new_session=alone,
            pass_fds=(*child.inherits, *orphan.held()),
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
        why = _why(code)
        if child.vital and child.predecessor is None and not steady and code in _HOPELESS:
            _log.error("child cannot start", child=child.name, code=code, why=why)
            raise CannotStart(f"The hub cannot start. Its process '{child.name}' {why}.")
        _log.error(
            "child ended and is started again",
            child=child.name,
            code=code,
            why=why,
            seconds=pause,
        )
        child.process, child.predecessor = None, process.pid
        if _signal_group(process.pid, signal.SIGTERM):
            self._left[process.pid] = time.monotonic() + child.grace
        child.start_after = time.monotonic() + pause

    def _clear_away(self) -> None:
        """Kill what a child that has ended had started, if it does not stop by itself."""
        for group, deadline in list(self._left.items()):
            late = time.monotonic() - deadline
            if not _signal_group(group, signal.SIGKILL if late >= 0 else 0) or late > KILLED:
                del self._left[group]


#: Exit codes of a command that will not start the next time either: a Python traceback, and those
#: of ``hub.cli.failure``.
_HOPELESS = frozenset({1, 2, 70, 78})


def _why(code: int) -> str:
    """What an exit code says."""
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    sentences = {
        0: "ended without being told to",
        70: "cannot start: the log says why",
        75: "cannot start now: the log says what is in its way",
        78: "cannot start with these settings: the log says which",
    }
    return sentences.get(code, f"failed with exit code {code}: the log may say why")


def _signal_group(leader: int, number: int) -> bool:
    """Send a signal to a child's process group; whether anybody is left in it."""
    with suppress(ChildProcessError):
        os.waitpid(-leader, os.WNOHANG)  # as process 1 we inherit them
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # None is left, or it leads no group: it stands in ours.
        return False
    return True
