"""The listener: the HTTP endpoint of the inbox.

It knows no CRM. It stores what happened, answers, and notifies the workers.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from hub import clock, log, services
from hub.database import JsonText, in_transaction
from hub.inbox import quarantine
from hub.inbox.inbox import Inbox
from hub.inbox.intake import Ignored, examine
from hub.inbox.writer import StorageUnavailable, Unstorable
from hub.models import Source

#: The largest body. Chatwoot repeats the text of a long mail several times in one body.
MOST_BYTES = 8 * 1024 * 1024
#: Seconds after which a sender may try again if the database cannot store.
RETRY_AFTER = 30

blueprint = Blueprint("inbox", __name__)

_log = log.get(__name__)


@blueprint.post("/webhooks/<kind>/<token>")
def receive(kind: str, token: str) -> Response:
    """Take one webhook. The answers are described in ``docs/architecture.md``."""
    try:
        return _receive(kind, token)
    except (SQLAlchemyError, StorageUnavailable) as error:
        _log.error("webhook refused: the database is not available", error=repr(error))
        return _come_back("The hub cannot store events at this moment. Please send it again.")


def _receive(kind: str, token: str) -> Response:
    inbox = services.current().single(Inbox)
    source = inbox.sources.find(kind, token)
    if source is None:
        return _unknown_address()
    request.max_content_length = MOST_BYTES
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        _log.error("webhook refused: larger than 8 MiB", source=source.id)
        return _answer(413, error=f"The body is larger than {MOST_BYTES} bytes.")
    inbound = quarantine.Request(
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        received_at=clock.now(),
    )
    try:
        submission = examine(source, inbound, inbox.patience)
    except quarantine.Refused as refusal:
        return _refuse(source, inbound, refusal)
    if isinstance(submission, Ignored):
        _log.info(
            "ignored", source=source.id, event=submission.event_name, reason=submission.reason
        )
        return _answer(202, status="ignored", reason=submission.reason)
    try:
        event_ids = inbox.writer.submit(submission)
    except Unstorable as error:
        return _refuse(source, inbound, quarantine.Refused(400, "not_storable", str(error)))
    if not event_ids:
        return _answer(200, status="duplicate")
    return _answer(202, status="accepted", event_id=event_ids[0], event_ids=event_ids)


def _refuse(source: Source, inbound: quarantine.Request, refusal: quarantine.Refused) -> Response:

    def hold(session: Session) -> bool | None:
        stays: dict[str, bool] = {"read": True, "key_share": True}
        if session.get(Source, source.id, with_for_update=stays) is None:
            return None
        return quarantine.hold(session, source, inbound, refusal)

    held = in_transaction(hold)
    if held is None:  # deleted a moment ago
        return _unknown_address()
    if refusal.code == quarantine.KIND_MISSING:
        # The request is not at fault: it waits until its source kind is back.
        if held:
            return _answer(202, status="held", reason=refusal.sentence)
        return _come_back("The hub cannot hold more requests of this source.")
    answer = {"error": refusal.sentence, "held": held}
    if refusal.field:
        answer["field"] = refusal.field
    return _answer(refusal.status, **answer)


def _unknown_address() -> Response:
    return _answer(404, error="There is no such webhook address.")


def _come_back(sentence: str) -> Response:
    response = _answer(503, error=sentence)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _answer(code: int, /, **said: Any) -> Response:
    return Response(JsonText.of(said), code, mimetype="application/json")
