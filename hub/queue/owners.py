"""Names of owners: who has a lane. One name stands in its lease, its mutex and its slot.

A process is called "<machine>-<pid>-<random>", and one taking of a lane by it is called
"<process>/<random>/<lane>".
"""

from __future__ import annotations

import os
import socket
import uuid


def process_name() -> str:
    """A new name for this process, as it stands in leases, attempts and on the workers page."""
    return f"{beginning_of(os.getpid())}{uuid.uuid4().hex[:6]}"


def beginning_of(pid: int) -> str:
    """What the names of this machine's processes with this number begin with."""
    return f"{socket.gethostname().partition('.')[0]}-{pid}-"


def taking_of(process: str) -> str:
    """A new name for a taking by a process; Redis puts the lane behind it that is taken."""
    return f"{process}/{uuid.uuid4().hex[:8]}"


def process_of(owner: str) -> str:
    """The process that has a lane."""
    return owner.partition("/")[0]


def lane_of(owner: str) -> int:
    """The lane that is taken."""
    return int(owner.rpartition("/")[2])
