"""Importing a plugin's code. The import has a time limit, and cannot end the process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

#: How many seconds the import of one plugin may take.
LIMIT = 20.0
#: Code that catches the interruption is interrupted again after so many seconds.
_AGAIN = 0.5


class TookTooLong(BaseException):
    """The time is up. Not an ``Exception``, so that the imported code hardly catches it."""


class Exited(BaseException):
    """The imported code tried to end the process."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Limit the time of the block, and turn ``os._exit`` in it into ``Exited``.

    The time is limited in the main thread only; all processes of the hub load plugins there.

    :raises TookTooLong: the time is up.
    :raises Exited: the block called ``os._exit``.
    """
    with _without_exit(), _in_time(seconds):
        yield


@contextmanager
def _without_exit() -> Iterator[None]:
    real, us = os._exit, os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != us:
            # A child process may end this way.
            real(status)
        raise Exited(f"it wanted to end the process with status {status}")

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = real


@contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> NoReturn:
        raise TookTooLong

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
