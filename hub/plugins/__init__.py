"""The registry: which plugins are installed, which of them are broken, and why."""

from hub.plugins.registry import BrokenPlugin, Registry, UnknownPlugin

__all__ = ["BrokenPlugin", "Registry", "UnknownPlugin"]
