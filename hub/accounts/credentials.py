"""Stored credentials go only where they were meant for.

A person enters them for one address. Whoever changes that address later, even just to test it,
would have them sent to a host of his choice. So a new address asks for them anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.errors import InvalidSettings
from hub.models import Hook
from hub.sdk.plugin import Plugin
from hub.sdk.settings import origin_of, secret_names, url_names
from hub.sdk.translation import for_people

ASK_ANEW = for_people(
    "The address leads to another server now. Enter this again: what is stored was meant for the "
    "old one."
)


def require_anew(plugin: Plugin, stored: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Return if the settings that are given may be used together with the stored secrets.

    They may not when an address among them has another scheme, host or port than the stored one,
    and a stored secret is not given with it. A secret that is given empty is taken away, which is
    no reason to ask.

    :raises InvalidSettings: for each secret that must be entered anew.
    """
    moved = any(
        name in given and origin_of(given[name]) != origin_of(stored.get(name))
        for name in url_names(plugin.settings)
    )
    kept = [
        name
        for name in sorted(secret_names(plugin.settings))
        if stored.get(name) and name not in given
    ]
    if moved and kept:
        raise InvalidSettings({name: [ASK_ANEW] for name in kept})


def addresses(plugin: Plugin, hook: Hook) -> list[str]:
    """Where the hook's calls go: scheme, host and port of each address among its settings."""
    found = {origin_of(hook.settings.get(name)) for name in url_names(plugin.settings)}
    return sorted(found - {""})
