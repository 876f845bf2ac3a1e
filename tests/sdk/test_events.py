"""Canonical events as they are stored: old hubs read new rows, new hubs read what is newer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hub.sdk.events import (
    Attachment,
    Contact,
    Conversation,
    Event,
    Message,
    Sender,
    Source,
    from_data,
    to_data,
)

#: What version 1 knows of each part. It passes the stored fields to its own classes, so one more
#: is a TypeError there, for every event of the lane.
VERSION_1 = {
    "contact": "id name email phone identifier company city country_code blocked url "
    "custom_attributes additional_attributes",
    "conversation": "id status priority inbox_id inbox_name channel subject assignee team labels "
    "url created_at custom_attributes",
    "message": "id direction text private deleted content_type sender created_at attachments "
    "attributes",
    "source": "id kind account_id base_url",
}

EVENT = Event(
    id=7,
    name="message.created",
    occurred_at=datetime(2026, 7, 14, 10, 0, tzinfo=UTC),
    source=Source(1, "chatwoot"),
    contact=Contact("1", networks={"telegram": "308"}, proven=frozenset({"identifier", "phone"})),
    conversation=Conversation("2", labels=("vip",), assignee_id="3", auto_reply=True),
    message=Message(
        "4",
        text="Hi",
        sender=Sender("contact", "1"),
        attachments=(Attachment("image", "5"),),
        whole_text="Hi\n> quoted",
        auto_reply=True,
        from_phone=True,
        missing_files=2,
    ),
)


def test_what_is_stored_is_read_back() -> None:
    assert from_data(json.loads(json.dumps(to_data(EVENT)))) == EVENT


@pytest.mark.parametrize("part", VERSION_1)
def test_version_1_knows_every_field_that_it_looks_at(part: str) -> None:
    assert to_data(EVENT)[part].keys() == set(VERSION_1[part].split())


def test_an_event_of_version_1_is_read() -> None:
    data = to_data(EVENT)
    del data["since_1_1"]
    read = from_data(data)
    assert read.contact == Contact("1")
    assert read.message is not None
    assert read.message.whole_text is None


def test_what_a_newer_hub_has_stored_is_read_without_what_is_unknown() -> None:
    data = to_data(EVENT)
    data["mood"] = "good"
    for part in ("contact", "conversation", "message", "source"):
        data[part]["mood"] = "good"
    data["message"]["sender"]["mood"] = data["message"]["attachments"][0]["mood"] = "good"
    data["since_1_1"]["contact"]["mood"] = "good"
    data["changes"] = {"name": {"previous": "a", "current": "b", "mood": "good"}}
    assert from_data(data).contact == EVENT.contact
    assert from_data(data).message == EVENT.message
