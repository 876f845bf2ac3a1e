"""Column types for enums. They can read values that a newer version of the hub has written."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect, Enum
from sqlalchemy.types import TypeDecorator


class Values(TypeDecorator[enum.StrEnum]):
    """Stores the values of an enum, and refuses others.

    An unknown value, which a newer version of the hub has written, is read as a member of its own
    that equals no other.
    """

    impl = Enum
    cache_ok = True

    def __init__(self, kind: type[enum.StrEnum]) -> None:
        super().__init__(
            kind,
            values_callable=lambda members: [member.value for member in members],
            native_enum=False,
            create_constraint=True,
            name=kind.__name__.lower(),
            length=20,
        )
        self.kind = kind

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], enum.StrEnum | None]:
        """The function that turns a stored value into a member."""
        kind = self.kind
        known = {member.value: member for member in kind}

        def read(value: str | None) -> enum.StrEnum | None:
            if value is None:
                return None
            return known.get(value) or _unknown(kind, value)

        return read


def _unknown(kind: type[enum.StrEnum], value: str) -> enum.StrEnum:
    member = str.__new__(kind, value)
    member._name_ = member._value_ = value
    return member


def values_of(kind: type[enum.StrEnum]) -> Values:
    """A column type for the values of an enum."""
    return Values(kind)
