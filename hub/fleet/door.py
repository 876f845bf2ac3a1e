"""The door: the listening socket, which outlives the processes that answer at it.

Chatwoot sends each webhook once, and waits five seconds. So ``hub up`` opens the socket, or takes
it from systemd, and web processes inherit it. While none of them runs, connections wait in its
queue.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

#: Connections that wait at most, as far as the system allows so many.
BACKLOG = 2048
#: Set for web processes: the numbers of the sockets that they inherit.
VARIABLE = "HUB_DOOR"
#: The first descriptor that systemd passes on; see sd_listen_fds(3).
_FIRST_OF_SYSTEMD = 3


def open_at(host: str, port: int) -> socket.socket:
    """Listen.

    :raises OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def is_of_systemd() -> bool:
    """Whether systemd has opened sockets for this process."""
    mine = os.environ.get("LISTEN_PID") == str(os.getpid())
    return mine and os.environ.get("LISTEN_FDS", "0") != "0"


def of_systemd() -> Sequence[socket.socket]:
    """The sockets that systemd has opened for this process; none without socket activation."""
    count = int(os.environ["LISTEN_FDS"]) if is_of_systemd() else 0
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)  # they are not for children
    numbers = range(_FIRST_OF_SYSTEMD, _FIRST_OF_SYSTEMD + count)
    return [socket.socket(fileno=number) for number in numbers]


def passed_on(door: Sequence[socket.socket]) -> dict[str, str]:
    """The environment of a process that inherits these sockets."""
    return {VARIABLE: ",".join(str(opened.fileno()) for opened in door)}


def inherited() -> Sequence[int]:
    """The numbers of the sockets that this process was given by its supervisor."""
    return [int(number) for number in os.environ.pop(VARIABLE, "").split(",") if number]
