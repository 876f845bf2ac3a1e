"""Watching where a plugin's calls go."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def watched(allowed: Collection[str]) -> Iterator[list[str]]:
    """Refuse and note every call of this process to a place that is not allowed.

    A place is ``host`` or ``host:port``. Names are refused before they are looked up.
    """
    met: list[str] = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def refuse(host: Any, port: Any) -> None:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name not in allowed and f"{name}:{port}" not in allowed:
            place = f"{name}:{port}"
            if place not in met:
                met.append(place)
            raise ConnectionRefusedError(f"{place} is not allowed here")

    def watched_look_up(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        refuse(host, port)
        return look_up(host, port, *rest, **options)

    def watched_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0], address[1])
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", watched_look_up)
        patch.setattr(socket.socket, "connect", watched_connect)
        yield met
