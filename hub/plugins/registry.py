"""Finds plugins through their entry points and sets the broken ones aside."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from hub import log
from hub.plugins import importing
from hub.sdk.plugin import BadManifest, Plugin, validate

GROUP = "hub.plugins"

_log = log.get(__name__)


class UnknownPlugin(Exception):
    """No usable plugin has this id. If it is installed but broken, the message says why."""


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """An installed plugin that cannot be used. ``sentence`` says why."""

    id: str
    distribution: str
    sentence: str
    traceback: str = ""


@dataclass(frozen=True)
class Registry:
    """The installed plugins. Made once, when the process starts."""

    plugins: Mapping[str, Plugin]
    broken: tuple[BrokenPlugin, ...]

    @classmethod
    def discover(cls) -> Registry:
        """Find every installed plugin."""
        return cls.of(entry_points(group=GROUP))

    @classmethod
    def of(cls, found: Iterable[EntryPoint], limit: float = importing.LIMIT) -> Registry:
        """The registry of these entry points. A broken plugin does not affect the others."""
        by_id: dict[str, list[EntryPoint]] = {}
        for entry in found:
            by_id.setdefault(entry.name, []).append(entry)
        plugins: dict[str, Plugin] = {}
        broken: list[BrokenPlugin] = []
        for plugin_id, entries in sorted(by_id.items()):
            outcome = _load(plugin_id, entries, limit)
            if isinstance(outcome, Plugin):
                plugins[plugin_id] = outcome
                if outcome.unknown_events:
                    _log.warning(
                        "a plugin waits for events that this hub never sends",
                        plugin=plugin_id,
                        events=", ".join(outcome.unknown_events),
                    )
            else:
                broken.append(outcome)
                _log.error("plugin is broken", plugin=plugin_id, reason=outcome.sentence)
        return cls(plugins, tuple(broken))

    def get(self, plugin_id: str) -> Plugin:
        """The plugin with this id.

        :raises UnknownPlugin: it is not installed, or it is broken.
        """
        if plugin_id in self.plugins:
            return self.plugins[plugin_id]
        for broken in self.broken:
            if broken.id == plugin_id:
                raise UnknownPlugin(f"The plugin {plugin_id} is broken: {broken.sentence}")
        known = ", ".join(sorted(self.plugins)) or "none"
        raise UnknownPlugin(f"No plugin {plugin_id!r} is installed. Installed: {known}.")


def _load(plugin_id: str, entries: list[EntryPoint], limit: float) -> Plugin | BrokenPlugin:
    names = sorted({entry.dist.name if entry.dist else "unknown" for entry in entries})
    distribution = ", ".join(names)
    if len(entries) > 1:
        return BrokenPlugin(
            plugin_id,
            distribution,
            f"{len(entries)} installed plugins claim the id {plugin_id!r} ({distribution}); "
            "uninstall all but one.",
        )
    try:
        with importing.bounded(limit):
            loaded = entries[0].load()
        return validate(loaded, plugin_id)
    except importing.TookTooLong:
        return BrokenPlugin(
            plugin_id,
            distribution,
            f"Importing it takes longer than {limit:g} seconds; it was broken off.",
        )
    except BadManifest as error:
        return BrokenPlugin(plugin_id, distribution, str(error))
    except (Exception, SystemExit, importing.Exited) as error:
        # The hub must start whatever a plugin does, and say what is wrong with it.
        return BrokenPlugin(
            plugin_id,
            distribution,
            f"Importing it failed: {type(error).__name__}: {error}",
            traceback.format_exc(),
        )
