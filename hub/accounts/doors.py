"""Doors: the hosts inside that a connection may call, and whose word opens one.

An administrator of the installation, or whoever has its command line, opens a door by connecting
an address in a private network. It is remembered for that connection as long as its address stands.
An account's operator opens none: he needs it in ``HUB_OUTBOUND_ALLOW``. A connection that was made
before there were doors (``None``) keeps all that it had.
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
    """The doors that are left when settings change: those to addresses that stay."""
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
    """The doors with those that the present actor opens by connecting these addresses."""
    if doors is None or not audit.opens_doors():
        return doors
    hosts = {host_of(address) for address in addresses if address}
    return _written({*doors.split(), *(host for host in hosts if is_inside(host))})


def is_inside(host: str) -> bool:
    """Whether a host has an address that is not of the internet; not, if it has none at all.

    A public one gets no door: its owner could lead the name inside some day.
    """
    try:
        found = addresses_of(host)
    except OSError:
        return False
    return any(not is_public(ip_address(text.partition("%")[0])) for text in found)


def _written(hosts: set[str]) -> str:
    return " ".join(sorted(hosts))
