"""The pages, one module a page or a few that belong together. Each puts itself on the blueprint."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every module of pages."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
