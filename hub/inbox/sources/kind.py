"""The contract of a source kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.events import Event, Source

#: Seconds by which a signed request may be old, or ahead.
TOLERANCE = 300.0


class BadSignature(Exception):
    """A request that is not proven to be the sender's. ``code`` is missing, malformed, stale or
    wrong; ``sentence`` says it to the operator."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class BadPayload(Exception):
    """A body whose shape is not known: ``field`` is the path to what is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """A canonical event that has no id yet.

    ``dedupe_key`` is its natural key within the source: the same thing told twice has the same
    one. ``lane_key`` names the subject whose events must stay in order: "contact:501". ``moment``
    is when it happened, by the source's clock, where the source may send it after what happened
    later: it decides the place in the lane, and the event waits a little for others. ``None``: its
    place is that of its arrival. ``latest`` is the latest moment at which it can have happened,
    where ``moment`` is cut off.
    """

    event: Event
    dedupe_key: str
    lane_key: str
    moment: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a webhook means: events, or nothing for a CRM, and then why.

    ``payload`` is what is stored of it: the body with credentials replaced.
    """

    event_name: str
    drafts: tuple[Draft, ...]
    payload: Any
    ignored: str | None = None


class SourceKind(Protocol):
    """How requests of one kind of sender are proven and read. Header names are in lower case."""

    @property
    def name(self) -> str:
        """The name in the webhook address."""

    @property
    def title(self) -> str:
        """What people are shown, in English: of ``for_people`` if it has translations."""

    @property
    def headers(self) -> Sequence[str]:
        """The headers that proving and reading a request needs. A name that ends with a hyphen
        stands for all that begin with it. The quarantine keeps them, encrypted."""

    def is_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether the request claims a signature."""

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Return if the request is proven; ``now`` is the moment of its arrival (unix seconds).

        :raises BadSignature: it is not.
        """

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """The sender's id of this delivery, the same when it is sent again."""

    def sent_at(self, headers: Mapping[str, str]) -> float:
        """When a request that was verified was sent, by the sender's clock (unix seconds)."""

    def parse(self, data: Any, source: Source, received_at: datetime) -> Parsed:
        """What the body means.

        :raises BadPayload: its shape is not known.
        """
