"""The hub's commands in processes of their own, which are forked from a warm one.

A fresh interpreter needs one to two seconds of CPU to import the hub, and ``hub up`` starts seven.
A fork is as much a process of its own, with a parent, signals and an exit code; the kernel knows it
by its command's name.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from hub.kit import processes

#: From ``linux/prctl.h``.
PR_SET_NAME = 15


def command(
    *arguments: str, environment: Mapping[str, str], timeout: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``hub`` with these arguments, in this environment alone, and in this folder.

    :raises subprocess.TimeoutExpired: it did not end in ``timeout`` seconds, and was killed.
    """
    with tempfile.TemporaryDirectory() as here:
        told, complained = Path(here, "stdout"), Path(here, "stderr")
        run = start(*arguments, environment=environment, out=told, errors=complained, folder=folder)
        try:
            code = run.wait(timeout)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            raise
        return subprocess.CompletedProcess(
            ["hub", *arguments], code, told.read_text(), complained.read_text()
        )


def start(
    *arguments: str,
    environment: Mapping[str, str],
    out: Path,
    errors: Path,
    folder: Path | None = None,
) -> Command:
    """Start ``hub`` with these arguments; what it says is added to these files."""
    return Command(
        processes.start(
            *(_command, list(arguments), dict(environment)), folder or Path.cwd(), out, errors
        )
    )


class Command:
    """A command that runs, with those methods of ``subprocess.Popen`` that tests call."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid: int = process.pid

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        code: int | None = self._process.exitcode
        return code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        :raises subprocess.TimeoutExpired: it has not come in ``timeout`` seconds.
        """
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("hub", timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()


def _command(
    arguments: list[str], environment: dict[str, str], folder: Path, out: Path, errors: Path
) -> None:
    os.chdir(folder)
    for number, path in ((1, out), (2, errors)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    _let_supervisors_fork()
    _become(arguments, environment)


def _become(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run a command in this process, which ends with it."""
    code: object = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        ctypes.CDLL(None).prctl(PR_SET_NAME, arguments[0].encode(), 0, 0, 0)
        sys.argv = ["hub", *arguments]
        from hub.cli import main

        main()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else bool(code))


def _let_supervisors_fork() -> None:
    """In this process and those that it forks, a supervisor's children are forks, too."""
    from hub.cli import serving
    from hub.fleet import supervisor

    hub = supervisor.hub_command()

    def start(given: Sequence[str], *, env: Mapping[str, str], **options: Any) -> Any:
        if list(given[: len(hub)]) == hub:
            inherits, alone = options["pass_fds"], options["start_new_session"]
            return _Child(given[len(hub) :], env, inherits=inherits, alone=alone)
        return subprocess.Popen(given, env=env, **options)

    def run(given: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as told:
            code = _Child(given[len(hub) :], os.environ, told.fileno()).wait()
            told.seek(0)
            return subprocess.CompletedProcess(given, code, told.read().decode())

    expired = subprocess.TimeoutExpired
    supervisor.subprocess = SimpleNamespace(Popen=start, TimeoutExpired=expired)  # type: ignore[attr-defined]
    serving.subprocess = SimpleNamespace(run=run, PIPE=subprocess.PIPE)  # type: ignore[attr-defined]


class _Child:
    """A fork of this process that runs another command, for those who expect a ``Popen``."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: int = 1,
        inherits: Sequence[int] = (),
        alone: bool = True,
    ) -> None:
        self.returncode: int | None = None
        environment = dict(environment)
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            if alone:
                os.setsid()
            os.dup2(out, 1)
            # As with a fresh process: the supervisor's lock would outlive it.
            edges = [2, *sorted(inherits), os.sysconf("SC_OPEN_MAX")]
            for below, above in itertools.pairwise(edges):
                os.closerange(below + 1, above)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _become(arguments, environment)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        give_up = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if give_up is not None and time.monotonic() > give_up:
                raise subprocess.TimeoutExpired("hub", timeout or 0.0)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
