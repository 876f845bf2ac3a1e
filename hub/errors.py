"""Why something that an operator asked for was not done."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """It cannot be done as asked; the message is a sentence with the mend."""


class NotFound(Refused):
    """There is no such thing."""


class Changed(Refused):
    """Somebody else has changed it since it was looked at."""


class InvalidSettings(Refused):
    """Settings that do not fit the plugin's schema: for each field, what is wrong with it."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self.fields = fields
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in fields.items()))
