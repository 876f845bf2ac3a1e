"""The recorded day: what Chatwoot sent, and what stood in it at the end. See README.md."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
#: Where account webhooks went; agent bots, rules and macros have paths of their own.
ACCOUNT = "/rec"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request as it came. ``seconds`` counts from the first; ``step`` is what was done."""

    step: str
    seconds: float
    path: str
    headers: Mapping[str, str]
    raw: str

    @property
    def arrived_at(self) -> float:
        """When it came, in unix seconds."""
        return began_at() + self.seconds

    @property
    def sent_at(self) -> float:
        """When it was sent, in whole seconds, cut off."""
        return float(self.headers["x-chatwoot-timestamp"])

    @property
    def body(self) -> Any:
        """The payload."""
        return json.loads(self.raw)


@cache
def webhooks() -> tuple[Webhook, ...]:
    """The webhooks of the account, in the order of their arrival."""
    day = _read("day")
    return tuple(Webhook(**item) for item in day["webhooks"] if item["path"] == ACCOUNT)


@cache
def began_at() -> float:
    """When the first webhook came, in unix seconds: so that none came before it was sent."""
    return max(webhook.sent_at - webhook.seconds for webhook in webhooks())


@cache
def state() -> Mapping[str, Any]:
    """What stood in Chatwoot when the day was over."""
    found: Mapping[str, Any] = _read("day_state")
    return found


def _read(name: str) -> Any:
    return json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
