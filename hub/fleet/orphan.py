"""Children end with their supervisor, also when it was killed and could not tell them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence

#: Set for children of a supervisor; holds its pid.
VARIABLE = "HUB_SUPERVISOR_PID"
#: Seconds that an orphan has to finish its work. Nobody else would kill it.
GRACE = 55.0
#: Set for the processes of one hub: the descriptor of its data dir's lock. Each holds it open, so
#: that the next hub begins when the last of them is gone.
HELD = "HUB_HELD"


def held() -> Sequence[int]:
    """The descriptor that children must hold open, too, if there is one."""
    return [int(number) for number in (os.environ.get(HELD),) if number]


def stop_with_supervisor() -> None:
    """If this process has a supervisor, stop (as by SIGTERM) soon after that is gone; a process
    that does not stop is killed."""
    pid = os.environ.get(VARIABLE)
    if pid and os.getppid() == int(pid):
        threading.Thread(target=_watch, args=(int(pid),), name="orphan", daemon=True).start()


def _watch(supervisor: int) -> None:
    while os.getppid() == supervisor:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)
