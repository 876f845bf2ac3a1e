"""Pictures that were pasted into a mail stand in its HTML only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.inbox.sources import KINDS
from hub.sdk.events import Message, Source
from hub.sdk.testing import payloads
from tests.real.recording import webhooks

HOST = "http://127.0.0.1:3300"
STORED = f"{HOST}/rails/active_storage/blobs/redirect"
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def read(html: str | None, number: Any, base_url: str | None = f"{HOST}/", **parts: Any) -> Message:
    """The message of a mail with this HTML, which had so many files."""
    data = payloads.load("message_created_incoming_email")
    data["attachments"] = parts.get("attachments", [])
    data["content_attributes"]["email"].update(
        number_of_attachments=number, html_content={"full": html}
    )
    source = Source(1, "chatwoot", "3", base_url)
    message = KINDS["chatwoot"].parse(data, source, NOW).drafts[0].event.message
    assert message is not None
    return message


def urls(message: Message) -> list[str | None]:
    return [item.url for item in message.attachments]


def test_a_picture_is_a_file_of_the_mail() -> None:
    """As a real Chatwoot tells it."""
    html = f'<html><body>Fehler im Bild: <img src="{STORED}/eyJf--ee/fehler.png"> danach</body>'
    message = read(html, 1)
    (picture,) = message.attachments
    assert (picture.kind, picture.id, picture.name) == ("image", "inline-1", "fehler.png")
    assert picture.url == f"{STORED}/eyJf--ee/fehler.png"
    assert message.missing_files == 0


def test_each_once_in_their_order_beside_the_attachments() -> None:
    html = "".join(
        f"<IMG alt=x SRC = '{STORED}/{name}?a=1&amp;b=2'>" for name in ("b.png", "a.png", "b.png")
    )
    listed = {"id": 7, "file_type": "file", "data_url": f"{STORED}/c.pdf"}
    message = read(html, 3, attachments=[listed])
    assert urls(message) == [
        f"{STORED}/{name}" for name in ("c.pdf", "b.png?a=1&b=2", "a.png?a=1&b=2")
    ]
    assert [item.id for item in message.attachments] == ["7", "inline-1", "inline-2"]
    assert message.missing_files == 0


def test_one_that_is_listed_too_is_no_second_one() -> None:
    listed = {"id": 7, "file_type": "image", "data_url": f"{STORED}/a.png"}
    message = read(f'<img src="{STORED}/a.png">', 2, attachments=[listed])
    assert urls(message) == [f"{STORED}/a.png"]
    assert message.missing_files == 1


@pytest.mark.parametrize(("number", "missing"), [(1, 1), (3, 3), (0, 0), (None, 0), ("2", 0)])
def test_files_that_are_told_nowhere_are_counted(number: Any, missing: int) -> None:
    """Apple's mail program refers to none of its pictures."""
    message = read("<p>see the picture</p>", number)
    assert message.attachments == ()
    assert message.missing_files == missing
    assert read(None, number).missing_files == missing


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/rails/active_storage/blobs/a.png",
        f"{HOST}/api/v1/profile?x=/rails/active_storage/a.png",
        f"{HOST}/rails/active_storage/../../api/v1/profile",
        f"{HOST}/rails/active_storage/%2E%2e/api/v1/profile",
        f"{HOST}/rails/active_storage/..%2fprofile",
        f"{HOST}/rails/active_storage/&#46;&#46;/profile",
        f"{HOST}/rails/active_storage/%252e%252e/api/v1/profile",
        f"{HOST}/rails/active_storage/a&#10;b.png",
        f"{HOST}/rails/active_storage/a&quot; b.png",
        f"{HOST}/rails/active_storage/.%5c./profile",
        f"{HOST}/rails/active_storage/%3f/../../profile",
        f"{HOST}@elsewhere.example/rails/active_storage/a.png",
        f"{HOST}0/rails/active_storage/a.png",
        "cid:/rails/active_storage/a.png",
        "http://127.0.0.1:3300:/rails/active_storage/a.png b",
    ],
)
def test_nothing_else_is_taken_from_a_mail(address: str) -> None:
    """Whoever writes a mail writes its HTML."""
    message = read(f'<img src="{address}">', 1)
    assert message.attachments == ()
    assert message.missing_files == 1


def test_no_more_are_taken_than_the_mail_had_files() -> None:
    """The others are quoted."""
    html = "".join(f'<img src="{STORED}/{n}.png">' for n in range(3))
    assert urls(read(html, 1)) == [f"{STORED}/0.png"]
    assert urls(read(html, None)) == []
    assert urls(read(html, 3, base_url=None)) == []


def test_recorded_mails_miss_nothing() -> None:
    mails = [
        webhook.body
        for webhook in webhooks()
        if webhook.body.get("content_type") == "incoming_email"
    ]
    assert len(mails) > 10
    for data in mails:
        found = KINDS["chatwoot"].parse(json.loads(json.dumps(data)), Source(1, "chatwoot"), NOW)
        message = found.drafts[0].event.message
        assert message is not None
        assert message.missing_files == 0
