"""The quarantine: refused requests of known sources, kept because nobody sends them again."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import log
from hub.models import QuarantinedRequest

#: Bounds of one source's quarantine.
MOST_REQUESTS = 1_000
MOST_BYTES = 64 * 1024 * 1024

#: Headers worth keeping: what a second try needs. Others may carry credentials of proxies.
_KEPT_HEADERS = ("content-type", "user-agent")
_KEPT_PREFIXES = ("x-chatwoot-", "webhook-")

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """An inbound request: the exact bytes, and headers with names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Refused(Exception):
    """A request of a known source that is not taken.

    ``status`` is the HTTP answer, ``code`` the reason in one word, ``field`` the part of the body
    that is to blame, if one is.
    """

    def __init__(self, status: int, code: str, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.field = field


def hold(session: Session, source_id: int, request: Request, refusal: Refused) -> bool:
    """Keep the request; ``False`` when the source's quarantine is full."""
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(QuarantinedRequest.size), 0)).where(
            QuarantinedRequest.source_id == source_id
        )
    ).one()
    if count >= MOST_REQUESTS or size + len(request.body) > MOST_BYTES:
        _log.error("quarantine is full: a refused request is dropped", source=source_id)
        return False
    session.add(
        QuarantinedRequest(
            source_id=source_id,
            received_at=request.received_at,
            code=refusal.code,
            reason=refusal.sentence,
            size=len(request.body),
            headers={
                name: value
                for name, value in request.headers.items()
                if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIXES)
            },
            body=base64.b64encode(request.body).decode(),
        )
    )
    _log.warning("request refused and held", source=source_id, reason=refusal.sentence)
    return True


def request_of(held: QuarantinedRequest) -> Request:
    """The request as it came."""
    return Request(held.headers, base64.b64decode(held.body), held.received_at)
