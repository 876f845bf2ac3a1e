"""Column types, the same on both databases, and the base class of the models."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator

#: Row ids of 64 bits. On SQLite, an integer key has 64 bits anyway.
BigId = BigInteger().with_variant(Integer, "sqlite")
#: A JSON column.
Json = JSON()


class JsonText(str):
    """A JSON document that is already encoded, so that its transaction need not do it."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> JsonText:
        """Encode a value that came from JSON, several times as fast as ``json`` does. For other
        values use ``to_json``: it raises for what JSON does not have."""
        # Imported here: a process that only reads does not need it.
        import msgspec

        try:
            return cls(msgspec.json.encode(value).decode())
        except UnicodeEncodeError:  # half a surrogate pair must be written as an escape
            return cls(json.dumps(value))


def to_json(value: Any) -> str:
    """Encode JSON for the engine."""
    return value if isinstance(value, JsonText) else json.dumps(value)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, stored as microseconds since 1970: exact, and the same on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_microseconds(value: int) -> datetime:
    """The moment of ``to_microseconds``."""
    seconds, microseconds = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


#: The base class of the models.
Model = Base
