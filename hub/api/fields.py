"""Fields that take what their JSON type says and nothing that only looks like it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

LARGEST_ID = 2**63 - 1


class Text(fields.String):
    """A text that every database can hold: no NUL, no half characters."""

    def __init__(self, *, longest: int = 10_000, shortest: int = 0, **options: Any) -> None:
        own = options.pop("validate", [])
        checks = [
            validate.Length(min=shortest, max=longest),
            validate.Regexp(r"^[^\x00]*$", error="A text has no NUL characters."),
            *(own if isinstance(own, list) else [own]),
        ]
        super().__init__(validate=checks, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.make_error("invalid_utf8") from error
        return text


class Flag(fields.Boolean):
    """true or false."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number."""

    def __init__(self, *, lowest: int = 0, highest: int = LARGEST_ID, **options: Any) -> None:
        super().__init__(validate=validate.Range(min=lowest, max=highest), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return float(value)


class QueryNumber(fields.Integer):
    """A whole number in a query, where all values are texts."""

    def __init__(self, *, lowest: int = 1, highest: int = LARGEST_ID, **options: Any) -> None:
        super().__init__(validate=validate.Range(min=lowest, max=highest), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        text = str(value)
        if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > 19:
            raise self.make_error("invalid", input=value)
        return int(text)


class QueryFlag(fields.Boolean):
    """true or false in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")
