"""Links: which remote record belongs to a local thing, and how to create it exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.errors import HubError


@dataclass(frozen=True, slots=True)
class Remote:
    """A record in the remote system: its id, its address for people, and what is known of it."""

    id: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A local thing and its remote record.

    ``kind`` and ``local_id`` name the local thing for one hook ("ticket", "3/1201"). ``data`` is
    what the plugin remembers of the record, for example the values that it sent last. ``version``
    is the newest event version that was applied to the record. ``gone`` says why the remote record
    no longer exists. ``adopted`` says that this hook found the record and did not create it.
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
    """A creation that was begun and whose answer is not known: it may or may not have happened.

    ``natural_key`` is what the plugin gave to recognise the record by. A search need not look at
    records that are older than ``begun_at``.
    """

    kind: str
    local_id: str
    natural_key: str
    begun_at: datetime


class Links(Protocol):
    """The links of one hook. Every method is safe against a crash at any instruction."""

    def get(self, kind: str, local_id: str) -> Link | None:
        """The link, even if its record is ``gone``; ``None`` if there is at most an intent."""

    def with_remote(self, kind: str, remote_id: str) -> Sequence[Link]:
        """All links of this kind to one remote record, oldest first."""

    def begun(self, kind: str, local_id: str) -> Intent | None:
        """A creation that an earlier try began and whose answer is not known. Since SDK 1.1.

        If there is one, a record that the plugin finds may have been created by that try.
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
        """The link. If there is none, the remote record is created: exactly once in effect.

        The hub commits an intent, calls ``create``, and stores the link. If an earlier try left an
        intent without an answer, the hub calls ``find`` first and adopts the record that it finds.
        Errors of ``create`` pass through. ``Rejected``, ``NeedsAttention`` and ``Skip`` say that
        the remote certainly created nothing, so after these the intent is removed.
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

        ``create`` gets the local ids that have no record yet. It answers in the same order: for
        each id the record, or the error that the remote gave for it.
        """

    def adopt(
        self, kind: str, local_id: str, remote: Remote, *, version: int | None = None
    ) -> Link:
        """Link to a record that exists already. It replaces a link whose record is gone."""

    def update(
        self,
        link: Link,
        *,
        data: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Link:
        """Remember new ``data``, which replaces all data before, and the version applied last."""

    def mark_gone(self, link: Link, reason: str) -> Link:
        """Say that the remote record was deleted or merged away; the link keeps its id."""

    def forget(self, link: Link) -> None:
        """Remove the link, so that the next ``create_once`` makes a new record."""
