"""The outbound address guard: which addresses a URL that a person entered may lead to."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub.config import Network

#: Never called, whatever the configuration says: link-local (with the metadata services of the
#: clouds), multicast, unspecified and broadcast addresses.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::254/128",
        "100.100.100.200/32",
    )
)


class ForbiddenAddress(Exception):
    """The address may not be called; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class OutboundGuard:
    """Decides by the resolved address. Private networks are allowed unless denied.

    A self-hosted hub and its CRM usually share a private network, so private addresses are open
    by default; ``deny`` closes what the operator wants closed, ``allow`` reopens parts of it.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def check(self, url: str) -> None:
        """Return if the URL may be called.

        :raises ForbiddenAddress: it may not, or its host has no address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ForbiddenAddress("Only http and https addresses can be called.")
        try:
            found = socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ForbiddenAddress(f"The host {parts.hostname} has no address.") from error
        for entry in found:
            self.check_address(str(entry[4][0]))

    def check_address(self, text: str) -> None:
        """Return if the IP address may be called.

        :raises ForbiddenAddress: it may not.
        """
        address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in network for network in _NEVER):
            raise ForbiddenAddress(f"The address {address} is reserved and is never called.")
        if any(address in network for network in self.deny) and not any(
            address in network for network in self.allow
        ):
            raise ForbiddenAddress(
                f"The address {address} is in a network that HUB_OUTBOUND_DENY closes."
            )
