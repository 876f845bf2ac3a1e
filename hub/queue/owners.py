"""Names of owners: who has a lane. Its lease, its mutex and its slot hold the same name.

The name of a process is "<machine>-<pid>-<random>". Each time it takes a lane, the owner's name is
"<process>/<random>/<lane>".
"""

from __future__ import annotations

import os
import socket
import uuid


def process_name() -> str:
    """A new name for this process, for leases, attempts and the workers page."""
    return f"{beginning_of(os.getpid())}{uuid.uuid4().hex[:6]}"


def beginning_of(pid: int) -> str:
    """The beginning of the name of a process on this machine with this pid."""
    return f"{socket.gethostname().partition('.')[0]}-{pid}-"


def taking_of(process: str) -> str:
    """A new name for a taking by a process, still without the lane: the script in Redis chooses
    the lane and appends it."""
    return f"{process}/{uuid.uuid4().hex[:8]}"


def process_of(owner: str) -> str:
    """The process in an owner's name."""
    return owner.partition("/")[0]


def lane_of(owner: str) -> int:
    """The lane in an owner's name."""
    return int(owner.rpartition("/")[2])
