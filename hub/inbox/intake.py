"""From a request to a submission: all checks before the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub import log, strict_json
from hub.inbox.accept import Submission
from hub.inbox.order import Patience
from hub.inbox.quarantine import KIND_FAILED, KIND_MISSING, Refused, Request
from hub.inbox.sources import KINDS, BadPayload, BadSignature
from hub.models import Source
from hub.plugins.faults import traceback_of
from hub.sdk import events
from hub.security.encryption import Undecryptable, Unreadable

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine request that concerns no CRM."""

    event_name: str
    reason: str


def examine(source: Source, request: Request, patience: Patience) -> Submission | Ignored:
    """What a request means, and how long its events wait for those that they may have overtaken.

    :raises Refused: the request cannot be taken, but should be kept for a second try.
    """
    try:
        return _examine(source, request, patience)
    except Refused:
        raise
    except Exception as error:  # a bug of the source kind must not lose an event
        what = type(error).__name__
        trace = traceback_of(error)
        _log.error("a source kind failed", source=source.id, kind=source.kind, error=trace)
        raise Refused(
            500,
            KIND_FAILED,
            f"The source kind {source.kind} failed at this request ({what}); the log says where. "
            "Release the request when that is mended.",
        ) from error


def _examine(source: Source, request: Request, patience: Patience) -> Submission | Ignored:
    kind = KINDS.get(source.kind)
    if kind is None:
        raise Refused(
            202,
            KIND_MISSING,
            f"The source kind {source.kind} is missing: what brings it is not installed, or it is "
            "broken or not allowed. The request is held, and taken when that is mended.",
        )
    sent_at = None
    _require_json(request.headers)
    if not (source.allow_unsigned and not kind.is_signed(request.headers)):
        if not source.signing_secret:
            raise Refused(
                401,
                "no_secret",
                "No signing secret is set for this source yet; set it and release this request.",
            )
        if isinstance(source.signing_secret, Unreadable):
            raise Refused(500, "secret_unreadable", str(Undecryptable()))
        try:
            kind.verify(
                source.signing_secret,
                request.headers,
                request.body,
                request.received_at.timestamp(),
            )
        except BadSignature as error:
            raise Refused(401, f"signature_{error.code}", error.sentence) from error
        sent_at = kind.sent_at(request.headers)
    try:
        parsed = kind.parse(
            strict_json.loads(request.body),
            events.Source(
                id=source.id,
                kind=source.kind,
                account_id=source.external_account_id,
                base_url=source.base_url,
            ),
            request.received_at,
        )
    except strict_json.BadJson as error:
        raise Refused(400, "bad_json", error.sentence) from error
    except BadPayload as error:
        raise Refused(400, "bad_payload", error.sentence, error.field) from error
    if not parsed.drafts:
        return Ignored(parsed.event_name, parsed.ignored or "Nothing in it concerns a CRM.")
    return Submission(
        account_id=source.account_id,
        source_id=source.id,
        drafts=parsed.drafts,
        payload=parsed.payload,
        delivery_id=kind.delivery_id(request.headers),
        received_at=request.received_at,
        places=patience.places(parsed.drafts, source.id, sent_at, request.received_at),
    )


def _require_json(headers: Mapping[str, str]) -> None:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise Refused(
            415,
            "not_json",
            f"Content-Type must be application/json, not {content_type or 'missing'}.",
        )
