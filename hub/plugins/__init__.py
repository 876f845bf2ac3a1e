"""The registry: which plugins are installed, which of them are sound, and why not."""

from hub.plugins.registry import BrokenPlugin, Registry, UnknownPlugin, current

__all__ = ["BrokenPlugin", "Registry", "UnknownPlugin", "current"]
