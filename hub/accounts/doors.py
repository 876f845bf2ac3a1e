"""Doors: hosts in private networks that a connection may call, and who may open one.

Administrators and users of the command line open a door when they connect an address in a private
network. The door belongs to that connection, and closes when the connection's address changes.
Operators of an account cannot open doors; for them the address must be in ``HUB_OUTBOUND_ALLOW``.
``None`` stands for a connection that is older than doors: it may still call what it could call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from hub import audit
from hub.outbound.guard import (
    addresses_of,
    is_public,
)
from hub.sdk.plugin import Plugin
from hub.sdk.settings import host_of, origin_of, url_names


def kept(
    plugin: Plugin, doors: str | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str | None:
    """The doors that stay open when settings change: those of unchanged addresses."""
    names = url_names(plugin.settings)
    staying = {
        host_of(after[name])
        for name in names
        if after.get(name) and origin_of(after[name]) == origin_of(before.get(name))
    }
    now = {host_of(after[name]) for name in names if after.get(name)}
    if doors is None:
        return None if now <= staying else ""
    return _written(set(doors.split()) & staying)


def opened(doors: str | None, addresses: Iterable[Any]) -> str | None:
    """The doors, and those that the current actor opens by connecting these addresses."""
    if doors is None or not audit.opens_doors():
        return doors
    hosts = {host_of(address) for address in addresses if address}
    return _written({*doors.split(), *(host for host in hosts if is_inside(host))})


def is_inside(host: str) -> bool:
    """Whether a host has an address that is not public. ``False`` if it has no address at all.

    Public hosts get no door: the owner of the name could later point it to a private address.
    """
    try:
        found = addresses_of(host)
    except OSError:
        return False
    return any(not is_public(ip_address(text.partition("%")[0])) for text in found)


def _written(hosts: set[str]) -> str:
    return " ".join(sorted(hosts))
