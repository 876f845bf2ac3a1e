"""The generic source: what it asks of an event, and how it says what is wrong."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.inbox.sources import KINDS, BadPayload, BadSignature
from hub.sdk.events import EVENT_NAMES, Change, Source, from_data, to_data

SOURCE = Source(1, "events")
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
CANONICAL = KINDS["events"]

WHOLE = {
    "event": "message.created",
    "id": "evt_1",
    "occurred_at": "2026-07-14T12:00:00+02:00",
    "version": 1_784_023_320_000_000,
    "contact": {"id": "7", "name": "Ann", "email": "ann@example.org", "custom_attributes": {}},
    "conversation": {
        "id": "12",
        "status": "open",
        "labels": ["vip"],
        "created_at": "2026-07-14T10:00:00Z",
        "url": "https://chat.example.com/12",
    },
    "message": {
        "id": "9",
        "direction": "incoming",
        "sender": {"kind": "contact", "id": "7"},
        "attachments": [{"kind": "file", "size": 3, "url": "https://files.example.com/a"}],
        "created_at": "2026-07-14T10:00:00Z",
    },
    "changes": {"status": {"previous": "pending", "current": "open"}},
}
PARTS = {"contact": {"id": "7"}, "conversation": {"id": "12"}, "message": {"id": "9"}}


def draft_of(data):
    (draft,) = CANONICAL.parse(data, SOURCE, NOW).drafts
    return draft


def test_a_whole_event():
    draft = draft_of(WHOLE)
    assert (draft.dedupe_key, draft.lane_key) == ("id:evt_1", "contact:7")
    assert draft.event.occurred_at == datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
    assert draft.event.changes == {"status": Change("pending", "open")}
    assert draft.event.version == 1_784_023_320_000_000
    assert from_data(json.loads(json.dumps(to_data(draft.event)))) == draft.event


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_each_event_needs_its_parts_and_no_others(name):
    subject = name.partition(".")[0]
    needed = {"contact": {"contact"}, "conversation": {"conversation"}}.get(
        subject, {"conversation", "message"}
    )
    least = {"event": name, "id": "a", **{part: PARTS[part] for part in needed}}
    assert draft_of(least).event.name == name
    for part in needed:
        with pytest.raises(BadPayload) as error:
            CANONICAL.parse({k: v for k, v in least.items() if k != part}, SOURCE, NOW)
        assert error.value.field == part


def test_without_a_contact_the_lane_is_the_conversation():
    event = {"event": "conversation.updated", "id": "a", "conversation": {"id": "12"}}
    assert draft_of(event).lane_key == "conversation:12"


def test_a_resolved_conversation_is_resolved():
    event = {"event": "conversation.resolved", "id": "a", "conversation": {"id": "12"}}
    assert draft_of(event).event.conversation.status == "resolved"
    event["conversation"] = {"id": "12", "status": "open"}
    with pytest.raises(BadPayload, match="must be resolved") as error:
        draft_of(event)
    assert error.value.field == "conversation.status"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
@pytest.mark.parametrize(
    "path", [("occurred_at",), ("conversation", "created_at"), ("message", "created_at")]
)
def test_a_moment_that_cannot_be_stored_is_refused(path, moment):
    data = copy.deepcopy(WHOLE)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = moment
    with pytest.raises(BadPayload) as error:
        draft_of(data)
    assert error.value.field == ".".join(path)


def _places(value, path=()):
    if not isinstance(value, dict | list):
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        yield from _places(item, (*path, key))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


@given(st.sampled_from(list(_places(WHOLE))), ANYTHING)
def test_no_mutation_does_worse_than_be_refused(path, value):
    data = copy.deepcopy(WHOLE)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    try:
        draft = draft_of(data)
    except BadPayload:
        return
    json.dumps(to_data(draft.event))
    assert len(draft.dedupe_key) <= 200
    assert len(draft.lane_key) <= 150


def signed(key: bytes, timestamp: str = "1784023320", name: str = "msg_1") -> dict[str, str]:
    digest = hmac.new(key, f"{name}.{timestamp}.{{}}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"a key of the sender").decode(), b"a key of the sender"),
        ("plain text", b"plain text"),
    ],
)
def test_both_kinds_of_secret(secret, key):
    CANONICAL.verify(secret, signed(key), b"{}", 1_784_023_330)
    assert CANONICAL.delivery_id(signed(key)) == "msg_1"


@pytest.mark.parametrize(
    ("headers", "now", "code"),
    [
        ({}, 1_784_023_320, "missing"),
        (signed(b"secret", "9" * 5_000), 1_784_023_320, "malformed"),
        (signed(b"secret", "soon"), 1_784_023_320, "malformed"),
        (signed(b"another"), 1_784_023_320, "wrong"),
        (signed(b"secret"), 1_784_023_621, "stale"),
        (signed(b"secret"), 1_784_023_019, "stale"),
    ],
)
def test_verdicts(headers, now, code):
    with pytest.raises(BadSignature) as error:
        CANONICAL.verify("secret", headers, b"{}", now)
    assert error.value.code == code
