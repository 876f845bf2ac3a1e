"""The listener: the HTTP door of the inbox.

It knows nothing of any CRM: it writes down what happened, answers, and lets the workers know.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from hub import log
from hub.database import JsonText, in_reading, in_transaction
from hub.inbox import quarantine
from hub.inbox.intake import Ignored, examine
from hub.inbox.order import Patience
from hub.inbox.writer import StorageUnavailable, Unstorable, Writer
from hub.models import Source
from hub.queue.announce import Announcer
from hub.security.encryption import digest

#: Chatwoot sends long mails several times in one body: 8 MiB.
MOST_BYTES = 8 * 1024 * 1024
#: Seconds after which a sender may come back when the database cannot store.
RETRY_AFTER = 30
#: Seconds for which a process trusts what it knows of a source.
SOURCE_MEMORY = 1.0

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
    sources: SourceMemory = current_app.extensions["hub.sources"]
    source = sources.find(kind, token)
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
        received_at=datetime.now(UTC),
    )
    try:
        submission = examine(source, inbound, current_app.extensions["hub.patience"])
    except quarantine.Refused as refusal:
        return _refuse(source, inbound, refusal)
    if isinstance(submission, Ignored):
        _log.info(
            "ignored", source=source.id, event=submission.event_name, reason=submission.reason
        )
        return _answer(202, status="ignored", reason=submission.reason)
    writer: Writer = current_app.extensions["hub.writer"]
    try:
        event_ids = writer.submit(submission)
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
        # Nothing is wrong with it; it only waits.
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


class SourceMemory:
    """The sources that this process was asked for lately: a burst asks the database once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Source]] = {}
        self._lock = threading.Lock()

    def find(self, kind: str, token: str) -> Source | None:
        """The enabled source of this address."""
        key = digest(token)
        source = self._remembered(key)
        if source is None:
            # One thread asks; a burst would take a connection for each of its requests.
            with self._lock:
                source = self._remembered(key) or self._ask(key)
        if source is None or source.kind != kind or not source.enabled:
            return None
        return source

    def forget(self) -> None:
        """Ask the database the next time."""
        self._known = {}

    def _remembered(self, key: str) -> Source | None:
        asked_at, source = self._known.get(key, (0.0, None))
        return source if time.monotonic() - asked_at < SOURCE_MEMORY else None

    def _ask(self, key: str) -> Source | None:
        now = time.monotonic()
        source = in_reading(lambda session: _read(session, key))
        if source is not None:
            fresh = {k: v for k, v in self._known.items() if now - v[0] < SOURCE_MEMORY}
            self._known = {**fresh, key: (now, source)}
        return source


def _read(session: Session, token_digest: str) -> Source | None:
    source = session.scalar(select(Source).where(Source.token_digest == token_digest))
    if source is not None:
        session.expunge(source)
    return source


def init_app(app: Flask) -> None:
    """Open the door."""
    announcer = Announcer(app.extensions["hub.redis"])
    app.extensions["hub.writer"] = Writer(app.extensions["hub.registry"], announcer.try_push)
    app.extensions["hub.patience"] = Patience(app.extensions["hub.policy.order"].patience)
    app.extensions["hub.sources"] = SourceMemory()
    app.register_blueprint(blueprint)
