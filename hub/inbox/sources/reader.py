"""Reading JSON whose types may be wrong. Important values are checked; for others a wrong type
counts as missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from hub.inbox.sources.kind import BadPayload

#: The longest id that is accepted.
MOST_ID = 80


class Reader:
    """An object of a payload, together with its path."""

    def __init__(self, data: Any, path: str = "") -> None:
        if not isinstance(data, dict):
            raise BadPayload(path or "body", f'"{path or "body"}" must be an object.')
        self.data: Mapping[str, Any] = data
        self._path = path

    def path(self, key: str) -> str:
        """The path of a key."""
        return f"{self._path}.{key}" if self._path else key

    def id(self, key: str = "id") -> str:
        """An id: a whole number, as a text.

        :raises BadPayload: it is missing or no whole number.
        """
        found = self.optional_id(key)
        if found is None:
            raise BadPayload(self.path(key), f'"{self.path(key)}" is missing.')
        return found

    def optional_id(self, key: str) -> str | None:
        """An id, or ``None`` if there is none.

        :raises BadPayload: there is something else.
        """
        value = self.data.get(key)
        if value is None:
            return None
        text = str(value)
        if isinstance(value, bool) or not isinstance(value, int | str) or not text.isdecimal():
            raise BadPayload(
                self.path(key), f'"{self.path(key)}" must be a whole number, not {value!r:.40}.'
            )
        if len(text) > MOST_ID:
            raise BadPayload(self.path(key), f'"{self.path(key)}" is too long for an id.')
        return text

    def text(self, key: str) -> str | None:
        """A text that is not empty, or ``None``. Numbers are converted; other types are ignored."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        return str(value) or None

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of several texts, or ``None``.

        :raises BadPayload: another text.
        """
        value = self.data.get(key)
        if value is None:
            return None
        if value not in allowed:
            raise BadPayload(
                self.path(key),
                f'"{self.path(key)}" must be one of {", ".join(allowed)}, not {value!r:.40}.',
            )
        return str(value)

    def flag(self, key: str) -> bool:
        """Whether the value is true."""
        return self.data.get(key) is True

    def number(self, key: str) -> float | None:
        """A number, or ``None``."""
        value = self.data.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """An object as it is; an empty one if the value is no object."""
        value = self.data.get(key)
        return value if isinstance(value, dict) else {}

    def object(self, key: str) -> Reader | None:
        """An object, or ``None`` if it is null or missing.

        :raises BadPayload: something else.
        """
        value = self.data.get(key)
        return None if value is None else Reader(value, self.path(key))

    def required(self, key: str) -> Reader:
        """An object that must be there.

        :raises BadPayload: it is not.
        """
        found = self.object(key)
        if found is None:
            raise BadPayload(self.path(key), f'"{self.path(key)}" is missing.')
        return found

    def objects(self, key: str) -> Iterator[Reader]:
        """The objects of a list. Other items are left out."""
        value = self.data.get(key)
        for number, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield Reader(item, f"{self.path(key)}[{number}]")

    def moment(self, key: str) -> datetime | None:
        """A moment, as ISO 8601 or unix seconds. 0 means none: Chatwoot sends it so."""
        return to_moment(self.data.get(key))


def to_moment(value: Any) -> datetime | None:
    """The moment of an ISO 8601 text or of unix seconds; ``None`` if it is neither."""
    if isinstance(value, bool) or not value:
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            # Moments that are out of range in UTC count as none.
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
