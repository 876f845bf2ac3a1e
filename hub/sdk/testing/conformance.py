"""The conformance kit: subclass it, and pytest proves the plugin. Its suites stand alone, too."""

from hub.kit.conformance import (
    Conformance,
    Crashes,
    Events,
    Failures,
    Manifest,
    Repetition,
    Secrecy,
    Settings,
    Setups,
    Texts,
)

__all__ = [
    "Conformance",
    "Crashes",
    "Events",
    "Failures",
    "Manifest",
    "Repetition",
    "Secrecy",
    "Settings",
    "Setups",
    "Texts",
]
