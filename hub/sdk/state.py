"""State: what a plugin remembers of its connection beside links.

A link is for a remote record, which people are shown. Everything else that must outlive a delivery
belongs here. It is small, encrypted, and goes with its connection. Since SDK 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hub.sdk.errors import Postpone
from hub.sdk.links import Links

#: Characters of a key, and bytes of a value as JSON.
LONGEST_KEY: Final = 200
LARGEST_VALUE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered under a key: a JSON value.

    ``version`` counts its changes; it is 0 until what this delivery has put there is written.
    ``written_by`` is the version of the plugin that wrote it, for one that reads it later.
    """

    key: str
    value: Any
    version: int
    written_by: str


class StateConflict(Postpone):
    """Somebody else has changed the entry since it was seen. A plugin lets it pass: the event is
    looked at again in a moment."""

    def __init__(self) -> None:
        super().__init__("Another event has changed what is remembered of this.", delay=1.0)


class State(Protocol):
    """The state of one connection."""

    def get(self, key: str) -> Entry | None:
        """What is remembered under the key, also what this delivery has put there."""

    def put(self, key: str, value: Any) -> None:
        """Remember a JSON value, whatever was there. It is written with the next commit that is
        due anyway: before the next call, or with the outcome.

        :raises TypeError: it is no JSON value.
        :raises ValueError: the key or the value is too large.
        """

    def replace(self, key: str, value: Any, *, seen: Entry | None) -> Entry:
        """Remember a value if the entry is still as it was seen (``None``: not there). It is
        written at once.

        :raises StateConflict: it is not.
        """

    def remove(self, key: str) -> None:
        """Forget the entry."""


def checked(key: str, value: Any) -> Any:
    """The value as it will come back.

    :raises TypeError: it is no JSON value.
    :raises ValueError: the key or the value is too large.
    """
    if not key or len(key) > LONGEST_KEY:
        raise ValueError(f"a key of the state has 1 to {LONGEST_KEY} characters, not {len(key)}")
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if (size := len(text.encode("utf-8", "replace"))) > LARGEST_VALUE:
        raise ValueError(
            f"what is remembered as {key!r} has {size} bytes; {LARGEST_VALUE} are allowed"
        )
    return json.loads(text)


class Remembering(Protocol):
    """The part of a context that notes need."""

    @property
    def links(self) -> Links: ...

    @property
    def state(self) -> State: ...


class Notes:
    """What a plugin remembers of local things of one kind.

    Before there was a state, links served for that, and people were shown them as records. What is
    found in such a link moves here when it is first asked for.
    """

    def __init__(self, context: Remembering, kind: str) -> None:
        self._links = context.links
        self._state = context.state
        self._kind = kind

    def get(self, local_id: str) -> Mapping[str, Any] | None:
        """The note of a local thing, if there is one."""
        entry = self._state.get(self._key(local_id))
        if entry is not None:
            note: Mapping[str, Any] = entry.value
            return note
        link = self._links.get(self._kind, local_id)
        if link is None:
            return None
        self.keep(local_id, link.data)
        self._links.forget(link)  # the same commit writes the note
        return link.data

    def keep(self, local_id: str, note: Mapping[str, Any]) -> None:
        """Remember this of a local thing, in place of what was there."""
        self._state.put(self._key(local_id), dict(note))

    def forget(self, local_id: str) -> None:
        """Remember nothing of a local thing any more."""
        self._state.remove(self._key(local_id))

    def _key(self, local_id: str) -> str:
        return f"{self._kind}/{local_id}"
