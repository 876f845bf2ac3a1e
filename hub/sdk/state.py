"""State: what a plugin remembers about its connection, apart from links.

Use a link for a remote record: people see links on the records page. Everything else that must
outlive a delivery belongs into the state. It is small and encrypted, nobody sees it, and it is
deleted together with the connection. Since SDK 1.1.
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

    ``version`` counts the changes of the entry. It is 0 if this delivery has put the value there
    and the value is not written yet. ``written_by`` is the version of the plugin that wrote the
    value, so that a later version knows how to read it.
    """

    key: str
    value: Any
    version: int
    written_by: str


class StateConflict(Postpone):
    """Another event has changed the entry since the plugin read it. A plugin need not catch this:
    the hub handles the event again in a moment."""

    def __init__(self) -> None:
        super().__init__("Another event has changed what is remembered of this.", delay=1.0)


class State(Protocol):
    """The state of one connection."""

    def get(self, key: str) -> Entry | None:
        """What is remembered under the key, including what this delivery has put there."""

    def put(self, key: str, value: Any) -> None:
        """Remember a JSON value and replace what was there. It is written with the next commit,
        which comes before the next call or with the outcome.

        :raises TypeError: it is no JSON value.
        :raises ValueError: the key or the value is too large.
        """

    def replace(self, key: str, value: Any, *, seen: Entry | None) -> Entry:
        """Remember a value if the entry has not changed since it was ``seen``. ``None`` means that
        there was no entry. The value is written at once.

        :raises StateConflict: the entry has changed.
        """

    def remove(self, key: str) -> None:
        """Forget the entry."""


def checked(key: str, value: Any) -> Any:
    """The value as ``get`` will return it.

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
    """The part of a context that ``Notes`` needs."""

    @property
    def links(self) -> Links: ...

    @property
    def state(self) -> State: ...


class Notes:
    """What a plugin remembers about local things of one kind.

    Before there was a state, plugins used links for this, and people saw them as records. The
    content of such a link moves into the state when it is first asked for.
    """

    def __init__(self, context: Remembering, kind: str) -> None:
        self._links = context.links
        self._state = context.state
        self._kind = kind

    def get(self, local_id: str) -> Mapping[str, Any] | None:
        """The note about a local thing, if there is one."""
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
        """Remember this note about a local thing and replace the one before."""
        self._state.put(self._key(local_id), dict(note))

    def forget(self, local_id: str) -> None:
        """Forget the note about a local thing."""
        self._state.remove(self._key(local_id))

    def _key(self, local_id: str) -> str:
        return f"{self._kind}/{local_id}"
