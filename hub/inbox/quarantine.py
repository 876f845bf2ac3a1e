"""The quarantine: refused requests of known sources. They are kept, since senders do not repeat
them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import log
from hub.inbox.sources import KINDS, SourceKind
from hub.models import QuarantinedRequest, Source

#: The most that is kept for one source.
MOST_REQUESTS = 1_000
MOST_BYTES = 64 * 1024 * 1024

#: Headers that are always kept, besides those that the source kind needs.
_KEPT_HEADERS = ("content-type", "user-agent")
#: Headers that are never kept: they may hold credentials, such as those of a proxy.
_CREDENTIALS = ("authorization", "proxy-authorization", "cookie")

#: The code of requests that wait for the plugin that brings their source kind.
KIND_MISSING = "kind_missing"
#: The code of requests at which the source kind failed because of a bug.
KIND_FAILED = "kind_failed"

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """An inbound request: the exact bytes, and headers with names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class Refused(Exception):
    """A request of a known source that is not taken.

    ``status`` is the HTTP status, ``code`` the reason in one word, ``field`` the part of the body
    that is wrong, if it is one part.
    """

    def __init__(self, status: int, code: str, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.field = field


def hold(session: Session, source: Source, request: Request, refusal: Refused) -> bool:
    """Keep the request; ``False`` if the source's quarantine is full."""
    count, size = session.execute(
        select(func.count(), func.coalesce(func.sum(QuarantinedRequest.size), 0)).where(
            QuarantinedRequest.source_id == source.id
        )
    ).one()
    if count >= MOST_REQUESTS or size + len(request.body) > MOST_BYTES:
        _log.error("quarantine is full: a refused request is dropped", source=source.id)
        return False
    session.add(
        QuarantinedRequest(
            source_id=source.id,
            received_at=request.received_at,
            code=refusal.code,
            reason=refusal.sentence,
            size=len(request.body),
            headers={
                name: value
                for name, value in request.headers.items()
                if _is_kept(name, KINDS.get(source.kind))
            },
            body=base64.b64encode(request.body).decode(),
        )
    )
    _log.warning("request refused and held", source=source.id, reason=refusal.sentence)
    return True


def _is_kept(name: str, kind: SourceKind | None) -> bool:
    """Whether a second try may need the header. If the source kind is missing, nobody knows what it
    needs, so all headers but credentials are kept."""
    if name in _CREDENTIALS:
        return False
    if kind is None or name in _KEPT_HEADERS:
        return True
    return any(
        name.startswith(wanted) if wanted.endswith("-") else name == wanted
        for wanted in kind.headers
    )


def request_of(held: QuarantinedRequest) -> Request:
    """The request as it arrived."""
    return Request(held.headers, base64.b64decode(held.body), held.received_at)
