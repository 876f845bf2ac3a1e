"""Links: what a local thing is called in the remote system, and how to create it exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.errors import HubError


@dataclass(frozen=True, slots=True)
class Remote:
    """A record in the remote system: its id, a link for people, and what we know of it."""

    id: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A local thing and its remote record.

    ``kind`` and ``local_id`` name the local thing for one hook ("ticket", "3/1201"). ``data`` is
    the plugin's own memory of the record, say the values it sent last, and ``version`` the newest
    event version applied to it. ``gone`` says why the remote record no longer exists.
    ``adopted`` says that the record was found rather than created by this hook.
    """

    kind: str
    local_id: str
    remote_id: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    gone: str | None = None
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that was begun and whose answer is not known: it may or may not have happened.

    ``natural_key`` is what the plugin gave to recognise the record by; ``begun_at`` bounds the
    search in time.
    """

    kind: str
    local_id: str
    natural_key: str
    begun_at: datetime


class Links(Protocol):
    """The links of one hook. Every method is safe against a crash at any instruction."""

    def get(self, kind: str, local_id: str) -> Link | None:
        """The link, also one that is ``gone``; ``None`` when there is none or only an intent."""

    def with_remote(self, kind: str, remote_id: str) -> Sequence[Link]:
        """All links of this kind to one remote record, oldest first."""

    def begun(self, kind: str, local_id: str) -> Intent | None:
        """A create of an earlier try whose answer is not known. Since SDK 1.1.

        A record that is found then may be the one which that try has made.
        """

    def create_once(
        self,
        kind: str,
        local_id: str,
        *,
        create: Callable[[], Remote],
        find: Callable[[Intent], Remote | None],
        natural_key: str = "",
        version: int | None = None,
    ) -> Link:
        """The link, creating the remote record if there is none yet: exactly once in effect.

        An intent is committed, then ``create`` is called, then the link is stored. When an
        earlier try left an intent without an answer, ``find`` is asked first and what it finds is
        adopted. Errors of ``create`` pass through; after ``Rejected``, ``NeedsAttention`` or
        ``Skip``, which say that the remote definitely made nothing, the intent is taken back.
        """

    def create_many_once(
        self,
        kind: str,
        local_ids: Sequence[str],
        *,
        create: Callable[[Sequence[str]], Sequence[Remote | HubError]],
        find: Callable[[Intent], Remote | None],
        natural_keys: Mapping[str, str],
    ) -> Mapping[str, Link | HubError]:
        """Like ``create_once`` for several things in one call.

        ``create`` gets the ids still to be made and answers in the same order, each with its
        record or the error that the remote gave for it.
        """

    def adopt(
        self, kind: str, local_id: str, remote: Remote, *, version: int | None = None
    ) -> Link:
        """Link to a record that exists already, replacing a link that is gone."""

    def update(
        self,
        link: Link,
        *,
        data: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Link:
        """Remember new ``data`` (replaces all of it) and the version that was applied."""

    def mark_gone(self, link: Link, reason: str) -> Link:
        """Say that the remote record was deleted or merged away; the link keeps its id."""

    def forget(self, link: Link) -> None:
        """Remove the link, so that the next ``create_once`` makes a new record."""
