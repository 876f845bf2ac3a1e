"""Errors that tell an operator why something was not done."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """The request cannot be carried out. The message says why and what to do."""


class NotFound(Refused):
    """What the request names does not exist."""


class Changed(Refused):
    """Somebody else has changed it since the operator loaded it."""


class InvalidSettings(Refused):
    """Settings that do not fit the plugin's schema; ``fields`` says what is wrong with each."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in fields.items()))
