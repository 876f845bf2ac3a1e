"""Where calls may go: the guard, the doors of a hook or of files, and what a redirect adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from hub.outbound.guard import NO_DOORS, Doors, ForbiddenAddress, OutboundGuard
from hub.sdk.errors import NeedsAttention

#: Made when a connection stands and the bytes of a call are about to go; raises if they may not.
Check = Callable[[], None]


def no_check() -> None:
    """Nothing to ask."""


class Files(Protocol):
    """The files of the events in hand, which may lie inside where the hook itself may not call."""

    def has(self, url: str) -> bool:
        """Whether this is the address of one."""

    def doors(self) -> Doors:
        """The hosts inside from which they may be fetched."""


class _NoFiles:
    def has(self, url: str) -> bool:
        return False

    def doors(self) -> Doors:
        return NO_DOORS


NO_FILES = _NoFiles()


@dataclass(slots=True)
class Passage:
    """Where calls may go. One of ``files`` may be led on, from a host behind its doors to the
    storage of that."""

    guard: OutboundGuard
    doors: Doors = NO_DOORS
    of_files: bool = False
    _led_to: set[str] = field(default_factory=set)

    def __call__(self, host: str, addresses: list[str]) -> list[str]:
        """Those of a host's addresses that may be called.

        :raises NeedsAttention: none.
        """
        doors = self.doors.with_hosts(frozenset(self._led_to)) if self._led_to else self.doors
        try:
            return self.guard.allowed(addresses, host.rstrip(".").lower(), doors)
        except ForbiddenAddress as error:
            raise NeedsAttention(str(error)) from error

    def lead(self, source: str, target: str) -> None:
        """A host answers with a redirect."""
        if self.of_files and (self.doors.has(host := _host(source)) or host in self._led_to):
            self._led_to.add(_host(urljoin(source, target)))


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".").lower()
