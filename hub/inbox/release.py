"""Releasing held requests (a second try, after the secret or the parser was fixed), and discarding
them. Each action of a person is recorded once in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from hub import audit, log, services
from hub.database import in_transaction, reading
from hub.inbox.inbox import Inbox
from hub.inbox.intake import Ignored, examine
from hub.inbox.quarantine import KIND_MISSING, Refused, request_of
from hub.inbox.sources import KINDS
from hub.inbox.writer import Unstorable
from hub.models import QuarantinedRequest, Source
from hub.models.existing import existing

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Released:
    """The outcome for one held request: its new events, or why there are none. ``refusal`` says why
    the request is still held; '' if it is not."""

    id: int
    event_ids: list[int]
    outcome: str
    refusal: str = ""


def held(source_id: int | None = None) -> Sequence[QuarantinedRequest]:
    """The held requests, oldest first, without their headers and bodies."""
    query = select(QuarantinedRequest).order_by(QuarantinedRequest.id)
    if source_id is not None:
        query = query.where(QuarantinedRequest.source_id == source_id)
    with reading() as session:
        return session.scalars(query).all()


def release(request_id: int) -> Released | None:
    """Try a held request again, as at the time of its arrival. ``None`` if there is no such
    request."""
    tried = _try(request_id)
    if tried is None:
        return None
    source, released = tried
    audit.note(
        "request.released",
        account_id=source.account_id,
        subject_id=request_id,
        after={"outcome": released.outcome},
    )
    return released


def release_all(source_id: int) -> list[Released]:
    """Try all held requests of a source again.

    :raises NotFound: there is no such source.
    """
    with reading() as session:
        source = existing(session, Source, source_id)
    tried = [_try(request.id) for request in held(source_id)]
    released = [one[1] for one in tried if one is not None]
    accepted = sum(1 for one in released if one.event_ids)
    audit.note(
        "requests.released",
        account_id=source.account_id,
        subject_id=source_id,
        after={"tried": len(released), "accepted": accepted},
    )
    return released


def _try(request_id: int) -> tuple[Source, Released] | None:
    with reading() as session:
        whole = [undefer(QuarantinedRequest.headers), undefer(QuarantinedRequest.body)]
        request = session.get(QuarantinedRequest, request_id, options=whole)
        if request is None:
            return None
        source = session.get(Source, request.source_id)
        if source is None:  # deleted, together with its held requests
            return None
    inbox = services.current().single(Inbox)
    try:
        submission = examine(source, request_of(request), inbox.patience)
    except Refused as refusal:
        if not in_transaction(partial(_explain, request_id=request_id, refusal=refusal)):
            return None
        told = refusal.sentence
        return source, Released(request_id, [], f"still held: {told}", told)
    if isinstance(submission, Ignored):
        outcome, event_ids = f"ignored: {submission.reason}", []
    else:
        try:
            event_ids = inbox.writer.submit(submission)
        except Unstorable as error:
            return source, Released(request_id, [], f"still held: {error}", str(error))
        outcome = "accepted" if event_ids else "duplicate"
    # Only after the event is stored. A crash in between leads to a second release: a duplicate.
    in_transaction(lambda session: _delete(session, request_id))
    return source, Released(request_id, event_ids, outcome)


def release_returned() -> int:
    """Release the requests that were held because their source kind was missing, if it is back.
    Returns how many requests were tried."""
    query = (
        select(QuarantinedRequest.id)
        .join(Source, Source.id == QuarantinedRequest.source_id)
        .where(QuarantinedRequest.code == KIND_MISSING, Source.kind.in_(list(KINDS)))
        .order_by(QuarantinedRequest.id)
    )
    with reading() as session:
        ids = session.scalars(query).all()
    released = [found for number in ids if (found := release(number)) is not None]
    if released:
        _log.info("what waited for its source kind was released", requests=len(released))
    return len(released)


def discard(request_id: int) -> bool:
    """Discard a held request; ``False`` if there is no such request."""

    def work(session: Session) -> bool:
        source_id = _delete(session, request_id)
        if source_id is None:
            return False
        audit.note(
            "request.discarded",
            account_id=session.scalar(select(Source.account_id).where(Source.id == source_id)),
            subject_id=request_id,
            within=session,
        )
        return True

    return in_transaction(work)


def _delete(session: Session, request_id: int) -> int | None:
    """Delete a request. Returns the id of its source; ``None`` if there was no such request."""
    return session.scalar(
        delete(QuarantinedRequest)
        .where(QuarantinedRequest.id == request_id)
        .returning(QuarantinedRequest.source_id)
    )


def _explain(session: Session, request_id: int, refusal: Refused) -> bool:
    """Store why the request is still held; ``False`` if somebody has released or discarded it."""
    request = session.get(QuarantinedRequest, request_id)
    if request is None:
        return False
    request.code, request.reason = refusal.code, refusal.sentence
    return True
