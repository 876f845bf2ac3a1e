"""GLPI stands the kit that every plugin must stand."""

from hub_glpi.conformance import TestGlpi

__all__ = ["TestGlpi"]
