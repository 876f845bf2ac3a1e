"""The conformance kit: subclass it, and pytest proves the plugin."""

from hub.kit.conformance import (
    Conformance,
)

__all__ = [
    "Conformance",
]
