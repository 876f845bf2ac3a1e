"""Webhooks for the CRM Hub: signed canonical events to any HTTPS endpoint."""

from __future__ import annotations

from typing import Any

__version__ = "1.0.0"


def __getattr__(name: str) -> Any:
    """Builds ``plugin`` when it is first used, so that the simulator need not load all of it."""
    if name == "plugin":
        from hub_webhook.manifest import plugin

        globals()["plugin"] = plugin
        return plugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
