"""The outbound address guard: where an address that a person entered may lead.

Everybody may call the internet. A private network needs an administrator's word, which is
remembered as a **door** of the connection, or the operator's `HUB_OUTBOUND_ALLOW`. The hub's own
machine needs the latter. What belongs to the machinery of a network or a cloud is never called.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from hub.config import Network

Address = IPv4Address | IPv6Address

#: Never called, whatever the configuration says: link-local, multicast, unspecified and broadcast
#: addresses, and the metadata services of the clouds that stand elsewhere.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # AWS, Azure, Google, Oracle, DigitalOcean, Hetzner, Scaleway, ...
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/32",  # Google
        "fd00:42::42/128",  # Scaleway
        "fd00:c1::/32",  # Oracle
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle, classic
    )
)
#: IPv6 addresses that lead to an IPv4 address, and the bit at which that begins.
_WRAPPED = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (
        ("::ffff:0:0/96", 0),  # mapped
        ("::ffff:0:0:0/96", 0),  # translated
        ("64:ff9b::/96", 0),  # NAT64
        ("2002::/16", 80),  # 6to4
        ("::/96", 0),  # compatible
    )
)
_TEREDO = ipaddress.IPv6Network("2001::/32")
#: NAT64 of a network's own (RFC 8215): it belongs to that network, and where the IPv4 address
#: stands depends on a length that only the network knows (RFC 6052, section 2.2).
_OWN_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


class ForbiddenAddress(Exception):
    """The address may not be called; the message says why in a sentence, and who can mend it."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Hosts inside that one connection may call.

    ``hosts`` were opened by an administrator. ``before`` are those of connections that were made
    before there were doors: what worked goes on working, the hub's own machine included.
    ``all_before`` stands for every host.
    """

    hosts: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    all_before: bool = False

    @classmethod
    def stored(cls, text: str | None) -> Doors:
        """The doors as a hook or source has them: host names with spaces; ``None``: before."""
        return cls(all_before=True) if text is None else cls(frozenset(text.split()))

    def lead_to(self, host: str, address: Address) -> bool:
        """Whether this host may be called although its address is inside."""
        if self.all_before or host in self.before:
            return True
        return host in self.hosts and not address.is_loopback

    def has(self, host: str) -> bool:
        """Whether this host is one of them."""
        return self.all_before or host in self.before or host in self.hosts

    def with_hosts(self, hosts: frozenset[str]) -> Doors:
        """The doors, and some more hosts."""
        return Doors(self.hosts | hosts, self.before, self.all_before)


NO_DOORS = Doors()
#: ``HUB_OUTBOUND_ALLOW`` for those whose remotes run beside the hub: the demo, the kit, tests.
THIS_MACHINE = "127.0.0.0/8,::1/128"


@dataclass(frozen=True, slots=True)
class OutboundGuard:
    """Decides by the resolved address. ``allow`` opens networks, before ``deny`` closes them."""

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def check_address(self, text: str, host: str = "", doors: Doors = NO_DOORS) -> None:
        """Return if the IP address, to which this host name leads, may be called.

        :raises ForbiddenAddress: it may not.
        """
        given = ipaddress.ip_address(text.partition("%")[0])
        readings = [given, *unwrapped(given)]
        if any(one in network for one in readings for network in _NEVER):
            raise ForbiddenAddress(f"The address {given} is reserved and is never called.")
        address = readings[-1]
        if any(address in network for network in self.allow):
            return
        if any(address in network for network in self.deny):
            raise ForbiddenAddress(
                f"The address {address} is in a network that HUB_OUTBOUND_DENY closes."
            )
        if (is_public(address) and given not in _OWN_NAT64) or doors.lead_to(host, address):
            return
        if address.is_loopback:
            raise ForbiddenAddress(
                f"The address {address} is the hub's own machine. Whoever runs the hub can open "
                f"it with HUB_OUTBOUND_ALLOW={address}."
            )
        raise ForbiddenAddress(
            f"The address {address} is in a private network. An administrator of the hub can "
            f"connect it, or open it for everybody with HUB_OUTBOUND_ALLOW={address}."
        )

    def allowed(self, addresses: list[str], host: str, doors: Doors) -> list[str]:
        """Those of a host's addresses that may be called, in their order.

        :raises ForbiddenAddress: none.
        """
        good, refusal = [], ForbiddenAddress(f"The host {host} has no address.")
        for address in addresses:
            try:
                self.check_address(address, host, doors)
                good.append(address)
            except ForbiddenAddress as error:
                refusal = error
        if not good:
            raise refusal
        return good


def unwrapped(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 address stands for, if it does."""
    if not isinstance(address, IPv6Address):
        return
    if address in _TEREDO and address.teredo is not None:
        yield from address.teredo
        return
    if address in _OWN_NAT64:
        bits = int(address)
        shorter = (
            (bits >> 48 & 0xFFFF0000) | (bits >> 40 & 0xFFFF),
            (bits >> 40 & 0xFF000000) | (bits >> 32 & 0xFFFFFF),
            bits >> 24 & 0xFFFFFFFF,
        )
        yield from (IPv4Address(found) for found in shorter if found >> 24)  # zeros fill the rest
        yield IPv4Address(bits & 0xFFFFFFFF)
        return
    for network, shift in _WRAPPED:
        if address in network and not (address.is_loopback or address.is_unspecified):
            yield IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
            return


def is_public(address: Address) -> bool:
    """Whether the address belongs to the internet, and to nobody's own network."""
    return address.is_global and not address.is_multicast


def addresses_of(host: str, port: int | None = None) -> list[str]:
    """The IP addresses of a host name, in the order in which they are to be tried.

    :raises OSError: it has none, or that cannot be found out now.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
