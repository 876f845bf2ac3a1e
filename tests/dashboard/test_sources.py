"""Sources and the quarantine: their pages, and what their buttons do."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import func, select

from hub.database import in_transaction, reading
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused, Request
from hub.models import (
    QuarantinedRequest,
    Source,
)


def test_the_page_sees_what_chatwoots_form_refuses(desk):
    desk.does("sources/new", kind="chatwoot", base_url="http://127.0.0.1:3000", name="Chat")
    page = desk.does("sources/new", kind="chatwoot", base_url="http://127.0.0.1:3000", name="")
    assert "<h1>Chatwoot</h1>" in page
    page = desk.page("sources/2")
    assert "Please enter a valid URL" in page
    assert "curl -sS http://127.0.0.1:3000/api/v1/accounts/ACCOUNT/webhooks" in page
    assert "cookies" in page
    assert "Please enter a valid URL" not in desk.page("sources/1"), "no Chatwoot"


def test_the_quarantine_is_emptied(desk, web):
    with web.app_context():
        body = b'{"event": "contact.created", "nonsense": true}'
        request = Request({"content-type": "application/json"}, body, datetime.now(UTC))
        for _ in range(2):
            in_transaction(
                lambda s: quarantine.hold(
                    s, desk.world.source, request, Refused(400, "bad", "It is not right.")
                )
            )
        with reading() as session:
            first = session.scalars(select(QuarantinedRequest.id)).first()
    assert "It is not right." in desk.page("quarantine")
    page = desk.does(f"quarantine/{first}/release")
    assert re.search(r'class="notice bad"[^>]*>1 request is still held', page)
    page = desk.does(f"sources/{desk.world.source.id}/release")
    assert "2 requests are still held." in page
    desk.does(f"quarantine/{first}/discard")
    with web.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(QuarantinedRequest)) == 1
    assert [entry[0] for entry in desk.audited()][-3:] == [
        "request.released",
        "requests.released",
        "request.discarded",
    ]


def test_requests_that_are_released_are_all_accounted_for(desk, web):
    body = b"""{"event": "contact.created", "id": "1", "occurred_at": "2026-07-14T12:00:00Z",
        "contact": {"id": "7", "name": "Ann"}}"""
    request = Request({"content-type": "application/json"}, body, datetime.now(UTC))
    desk.does(f"sources/{desk.world.source.id}", name="Code", allow_unsigned="true")
    with web.app_context():
        for _ in range(2):
            refusal = Refused(401, "bad", "The signature is wrong.")
            in_transaction(
                lambda s, why=refusal: quarantine.hold(s, desk.world.source, request, why)
            )
    page = desk.does(f"sources/{desk.world.source.id}/release")
    assert "1 request was accepted." in page
    assert "1 request brought nothing new." in page


def test_sources_are_changed_and_deleted(desk, web):
    path = f"sources/{desk.world.source.id}"
    desk.does(path, name="Desk", base_url="https://chat.example.com/", allow_unsigned="true")
    with web.app_context(), reading() as session:
        source = session.get_one(Source, desk.world.source.id)
    assert (source.name, source.base_url, source.allow_unsigned) == (
        "Desk",
        "https://chat.example.com",
        True,
    )
    assert desk.person.post(desk.path(path), base_url="ftp://x").status_code == 409
    desk.does(f"{path}/disable")
    assert "This source is off" in desk.page(path)
    desk.happens()
    assert desk.person.post(desk.path(f"{path}/delete")).status_code == 409
    desk.work()
    desk.does(f"{path}/delete")
    assert desk.person.get(desk.path(path)).status_code == 404
