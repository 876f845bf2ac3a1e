"""The contract of a source kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.events import Event, Source

#: A signed request may be so many seconds old, or ahead of the hub's clock.
TOLERANCE = 300.0


class BadSignature(Exception):
    """The request is not proven to come from the sender. ``code`` is missing, malformed, stale or
    wrong. ``sentence`` is for the operator."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class BadPayload(Exception):
    """A body of unknown form. ``field`` is the path to what is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """A canonical event that has no id yet.

    ``dedupe_key`` is its natural key within the source: two reports of the same thing have the same
    key. ``lane_key`` names the subject whose events must stay in order, such as "contact:501".

    ``moment`` is when it happened, by the source's clock. Set it if the source may send events in
    the wrong order: then the event is sorted by it, and waits a little for others. ``None``: the
    event keeps the order of its arrival. ``latest`` is the latest moment at which it can have
    happened, if ``moment`` is not exact.
    """

    event: Event
    dedupe_key: str
    lane_key: str
    moment: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a webhook means: events, or the reason why it is ignored.

    ``payload`` is what is stored: the body, with credentials replaced.
    """

    event_name: str
    drafts: tuple[Draft, ...]
    payload: Any
    ignored: str | None = None


class SourceKind(Protocol):
    """How requests of one kind of sender are verified and read. Header names are in lower case."""

    @property
    def name(self) -> str:
        """The name in the webhook address."""

    @property
    def title(self) -> str:
        """What people are shown, in English: of ``for_people`` if it has translations."""

    @property
    def headers(self) -> Sequence[str]:
        """The headers that are needed to verify and read a request. A name that ends with a hyphen
        stands for all names that begin with it. The quarantine keeps these headers, encrypted."""

    def is_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether the request claims a signature."""

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Check that the request comes from the sender. ``now`` is when it arrived (unix seconds).

        :raises BadSignature: that is not proven.
        """

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """The sender's id of this delivery. It stays the same when the delivery is sent again."""

    def sent_at(self, headers: Mapping[str, str]) -> float:
        """When a verified request was sent, by the sender's clock (unix seconds)."""

    def parse(self, data: Any, source: Source, received_at: datetime) -> Parsed:
        """What the body means.

        :raises BadPayload: its form is unknown.
        """
