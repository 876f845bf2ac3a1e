"""Children end with their supervisor, also when it was killed and could not tell them."""

from __future__ import annotations

import os
import signal
import threading
import time

#: Set for children of a supervisor; holds its pid.
VARIABLE = "HUB_SUPERVISOR_PID"


def stop_with_supervisor() -> None:
    """If this process has a supervisor, stop (as by SIGTERM) soon after that is gone."""
    pid = os.environ.get(VARIABLE)
    if pid and os.getppid() == int(pid):
        threading.Thread(target=_watch, args=(int(pid),), name="orphan", daemon=True).start()


def _watch(supervisor: int) -> None:
    while os.getppid() == supervisor:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
