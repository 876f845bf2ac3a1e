"""What the recorded webhooks mean, and whose they are."""

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
from hub.sdk.events import Source, from_data, to_data
from hub.sdk.testing import payloads

SOURCE = Source(1, "chatwoot", "3", "https://chat.example.com")
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
CHATWOOT, CANONICAL = KINDS["chatwoot"], KINDS["events"]

ACTIVITY = "Only the contact's activity was noted."
CLOCKS = "Only clocks of the conversation moved."
TYPING = ("Somebody is typing.", "Somebody stopped typing.")

#: Every payload: its events with the contact of their lane, or why it is ignored.
OUTCOMES: dict[str, list[tuple[str, str]] | str] = {
    "agent_bot_conversation_opened": [("conversation.updated", "501")],
    "agent_bot_conversation_resolved": [("conversation.resolved", "501")],
    "automation_event_conversation_created": (
        "What an automation rule acts on comes as an event of its own."
    ),
    "contact_created_anonymous_visitor": [("contact.created", "501")],
    "contact_created_email_inbox": [("contact.created", "503")],
    "contact_created_full": [("contact.created", "506")],
    "contact_created_name_only": [("contact.created", "505")],
    "contact_created_social_only": [("contact.created", "507")],
    "contact_created_whatsapp_phone_only": [("contact.created", "504")],
    "contact_created_widget_email": [("contact.created", "502")],
    "contact_updated_after_merge": [("contact.updated", "502")],
    "contact_updated_blocked": [("contact.updated", "503")],
    "contact_updated_custom_attributes": [("contact.updated", "502")],
    "contact_updated_email_changed": [("contact.updated", "502")],
    "contact_updated_email_removed": [("contact.updated", "502")],
    "contact_updated_hub_writeback_echo": ACTIVITY,
    "contact_updated_last_activity_noise": ACTIVITY,
    "contact_updated_phone_added": [("contact.updated", "502")],
    "contact_updated_visitor_identified": [("contact.updated", "501")],
    "contact_updated_whatsapp_profile_name": [("contact.updated", "504")],
    "conversation_created_blocked_contact_resolved": [
        ("conversation.created", "503"),
        ("conversation.resolved", "503"),
    ],
    "conversation_created_bot_pending_template_last": [("conversation.created", "501")],
    "conversation_created_email": [("conversation.created", "503")],
    "conversation_created_new_after_resolved_whatsapp": [("conversation.created", "504")],
    "conversation_created_no_messages": [("conversation.created", "505")],
    "conversation_created_old_version_4_7": [("conversation.created", "501")],
    "conversation_created_whatsapp": [("conversation.created", "504")],
    "conversation_created_widget_with_message": [("conversation.created", "501")],
    "conversation_status_changed_on_creation_pending": [("conversation.updated", "501")],
    "conversation_status_changed_open_to_pending": [("conversation.updated", "501")],
    "conversation_status_changed_open_to_resolved": [("conversation.resolved", "501")],
    "conversation_status_changed_open_to_snoozed": [("conversation.updated", "501")],
    "conversation_status_changed_pending_to_open": [("conversation.updated", "501")],
    "conversation_status_changed_race_already_reopened": [("conversation.updated", "501")],
    "conversation_status_changed_resolved_to_open_reopened": [("conversation.updated", "501")],
    "conversation_status_changed_snoozed_until_reply": [("conversation.updated", "501")],
    "conversation_typing_off_contact": TYPING[1],
    "conversation_typing_on_agent": TYPING[0],
    "conversation_updated_assignee": [("conversation.updated", "501")],
    "conversation_updated_assignee_bot": [("conversation.updated", "501")],
    "conversation_updated_assignee_removed": [("conversation.updated", "501")],
    "conversation_updated_creation_echo": "It repeats the creation of the conversation.",
    "conversation_updated_custom_attributes": [("conversation.updated", "501")],
    "conversation_updated_first_reply_noise": CLOCKS,
    "conversation_updated_labels": [("conversation.updated", "501")],
    "conversation_updated_priority_cleared": [("conversation.updated", "501")],
    "conversation_updated_priority_set": [("conversation.updated", "501")],
    "conversation_updated_status_open_to_pending": [("conversation.updated", "501")],
    "conversation_updated_status_open_to_resolved": [("conversation.resolved", "501")],
    "conversation_updated_status_open_to_snoozed": [("conversation.updated", "501")],
    "conversation_updated_status_pending_to_open": [("conversation.updated", "501")],
    "conversation_updated_status_resolved_to_open_reopened": [("conversation.updated", "501")],
    "conversation_updated_team": [("conversation.updated", "501")],
    "conversation_updated_waiting_since_noise": CLOCKS,
    "inbox_created": "Inboxes concern no CRM.",
    "inbox_updated": "Inboxes concern no CRM.",
    "macro_executed": "What a macro changes comes as events of its own.",
    "message_created_agent_bot": [("message.created", "501")],
    "message_created_attachments_location_contact": [("message.created", "504")],
    "message_created_attachments_no_text": [("message.created", "504")],
    "message_created_automation_rule": [("message.created", "501")],
    "message_created_captain_assistant": [("message.created", "501")],
    "message_created_incoming_api": [("message.created", "505")],
    "message_created_incoming_email": [("message.created", "503")],
    "message_created_incoming_whatsapp": [("message.created", "504")],
    "message_created_incoming_widget": [("message.created", "501")],
    "message_created_long_text": [("message.created", "504")],
    "message_created_outgoing_agent": [("message.created", "501")],
    "message_created_private_note": [("message.created", "501")],
    "message_created_private_note_empty_nested": [("message.created", "505")],
    "message_created_template_csat": [("message.created", "503")],
    "message_created_template_greeting": [("message.created", "501")],
    "message_updated_after_contact_merge": [("message.updated", "502")],
    "message_updated_deleted": [("message.updated", "501")],
    "message_updated_delivered": [("message.updated", "501")],
    "message_updated_failed": [("message.updated", "501")],
    "message_updated_interactive_answer": [("message.updated", "501")],
    "webwidget_triggered_no_conversation": "A visitor opened the widget; nothing was said yet.",
    "webwidget_triggered_returning": "A visitor opened the widget; nothing was said yet.",
}


def parse(name: str):
    return CHATWOOT.parse(payloads.load(name), SOURCE, NOW)


def event_of(name: str, part: int = 0):
    return parse(name).drafts[part].event


def test_all_79_payloads_have_a_stated_outcome():
    assert len(payloads.names()) == 79
    assert set(OUTCOMES) == set(payloads.names())


@pytest.mark.parametrize("name", payloads.names())
def test_what_a_payload_means(name):
    parsed = parse(name)
    found = [(draft.event.name, draft.lane_key) for draft in parsed.drafts]
    expected = OUTCOMES[name]
    if isinstance(expected, str):
        assert (found, parsed.ignored) == ([], expected)
        assert parsed.payload is None, "what is ignored is not stored: it may hold credentials"
    else:
        assert found == [(event, f"contact:{contact}") for event, contact in expected]


@pytest.mark.parametrize("name", payloads.names())
def test_events_survive_their_storage(name):
    for draft in parse(name).drafts:
        stored = json.loads(json.dumps(to_data(draft.event)))
        assert from_data(stored) == draft.event


@pytest.mark.parametrize(
    "change",
    ["open_to_pending", "open_to_resolved", "open_to_snoozed", "pending_to_open",
     "resolved_to_open_reopened"],
)  # fmt: skip
def test_the_two_webhooks_of_one_change_are_one_event(change):
    (one,) = parse(f"conversation_status_changed_{change}").drafts
    (other,) = parse(f"conversation_updated_status_{change}").drafts
    assert one.dedupe_key == other.dedupe_key
    assert one.event.version == other.event.version
    assert one.event.name == other.event.name


def test_a_resolve_that_was_overtaken_keeps_its_own_version_and_status():
    resolved = event_of("conversation_updated_status_open_to_resolved")
    reopened = event_of("conversation_status_changed_race_already_reopened")
    assert resolved.conversation.status == "resolved"
    assert reopened.conversation.status == "open"
    assert resolved.version < reopened.version


def test_a_body_that_is_newer_than_its_change_tells_the_change():
    data = payloads.load("conversation_updated_status_open_to_resolved")
    data["status"], data["updated_at"] = "open", 1784027200.7
    (draft,) = CHATWOOT.parse(data, SOURCE, NOW).drafts
    assert (draft.event.name, draft.event.conversation.status) == (
        "conversation.resolved",
        "resolved",
    )
    assert draft.event.version == 1784024100200 * 1000


def test_one_webhook_may_tell_two_things():
    data = payloads.load("conversation_updated_status_open_to_resolved")
    data["changed_attributes"].append(
        {"priority": {"previous_value": None, "current_value": "high"}}
    )
    drafts = CHATWOOT.parse(data, SOURCE, NOW).drafts
    assert [draft.event.name for draft in drafts] == [
        "conversation.resolved",
        "conversation.updated",
    ]
    assert list(drafts[1].event.changes) == ["priority"]
    assert drafts[0].dedupe_key != drafts[1].dedupe_key


def test_a_mail_is_read_without_what_it_quotes():
    message = event_of("message_created_incoming_email").message
    assert message.text == "Invoice 4711 is wrong."
    assert message.attributes["email"]["subject"] == "Invoice 4711"
    assert "html_content" not in message.attributes["email"]
    assert [item.content_type for item in message.attachments] == ["application/pdf"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("message_created_incoming_widget", "contact"),
        ("message_created_outgoing_agent", "user"),
        ("message_created_agent_bot", "bot"),
        ("message_created_captain_assistant", "assistant"),
        ("message_created_automation_rule", "system"),
        ("message_created_template_greeting", "system"),
    ],
)
def test_who_wrote_a_message(name, kind):
    assert event_of(name).message.sender.kind == kind


def test_attachments_without_a_file():
    place, card = event_of("message_created_attachments_location_contact").message.attachments
    assert (place.latitude, place.longitude, place.url) == (52.5163, 13.3777, None)
    assert (card.kind, card.title) == ("contact", "Lena Vogt +49301234567")


def test_links_back_to_chatwoot():
    event = event_of("conversation_created_widget_with_message")
    assert event.conversation.url == "https://chat.example.com/app/accounts/3/conversations/1201"
    assert event.contact.url == "https://chat.example.com/app/accounts/3/contacts/501"
    old = CHATWOOT.parse(payloads.load("conversation_created_old_version_4_7"), SOURCE, NOW)
    assert old.drafts[0].event.conversation.url == event.conversation.url


def test_credentials_of_visitors_are_not_stored():
    parsed = parse("conversation_created_widget_with_message")
    assert parsed.payload["contact_inbox"]["pubsub_token"] == "[secret]"
    assert "a071f3cf900d868205b8cc4c" not in json.dumps(parsed.payload)


@pytest.mark.parametrize(
    ("name", "path", "value", "field"),
    [
        ("contact_created_full", ["id"], None, "id"),
        ("contact_created_full", ["id"], {}, "id"),
        ("contact_created_full", ["event"], 7, "event"),
        ("conversation_created_email", ["status"], "exploded", "status"),
        ("conversation_created_email", ["priority"], 3, "priority"),
        ("conversation_created_email", ["meta"], [], "meta"),
        ("conversation_created_email", ["meta", "sender", "id"], [], "meta.sender.id"),
        ("message_created_incoming_api", ["conversation"], None, "conversation"),
        ("message_created_incoming_api", ["conversation", "id"], "", "conversation.id"),
        ("message_created_incoming_api", ["message_type"], "shouted", "message_type"),
    ],
)
def test_a_shape_that_is_not_known_names_the_field(name, path, value, field):
    data = payloads.load(name)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadPayload) as error:
        CHATWOOT.parse(data, SOURCE, NOW)
    assert error.value.field == field
    assert f'"{field}"' in error.value.sentence


def test_an_unknown_event_is_ignored_by_name():
    assert CHATWOOT.parse({"event": "moon_phase"}, SOURCE, NOW).ignored == (
        "moon_phase is not an event that the hub knows."
    )


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items if isinstance(value, dict | list) else ():
        if isinstance(item, dict | list):
            yield from _places(item, (*path, key))
        else:
            yield (*path, key)


@given(st.data())
def test_no_mutation_of_a_payload_does_worse_than_be_refused(data):
    body = copy.deepcopy(payloads.load(data.draw(st.sampled_from(payloads.names()))))
    path = data.draw(st.sampled_from([path for path in _places(body) if path]))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(ANYTHING)
    try:
        parsed = CHATWOOT.parse(body, SOURCE, NOW)
    except BadPayload:
        return
    for draft in parsed.drafts:
        json.dumps(to_data(draft.event))
        assert len(draft.dedupe_key) <= 200
        assert len(draft.lane_key) <= 150


@pytest.mark.parametrize("case", payloads.signed_deliveries(), ids=lambda case: case["name"])
def test_signed_deliveries_get_their_verdict(case):
    headers = {name.lower(): value for name, value in case["headers"].items()}
    arguments = (case["secret"], headers, case["body"].encode(), case["now"])
    if case["expect"] == "accept":
        CHATWOOT.verify(*arguments)
    else:
        with pytest.raises(BadSignature):
            CHATWOOT.verify(*arguments)
    assert CHATWOOT.is_signed(headers) == ("x-chatwoot-signature" in headers)


def sign(secret: bytes, body: bytes, timestamp: int = 1_784_023_320) -> dict[str, str]:
    text = f"msg_1.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,bm90IHRoaXMgb25l v1,{signature}",
    }


def test_the_generic_source_verifies_standard_webhooks():
    secret = "whsec_" + base64.b64encode(b"key of the sender").decode()
    headers = sign(b"key of the sender", b"{}")
    CANONICAL.verify(secret, headers, b"{}", 1_784_023_330)
    for broken, body, now in [
        (headers, b"{ }", 1_784_023_330),
        (headers, b"{}", 1_784_029_999),
        ({**headers, "webhook-id": "msg_2"}, b"{}", 1_784_023_330),
        ({**headers, "webhook-timestamp": "soon"}, b"{}", 1_784_023_330),
        ({}, b"{}", 1_784_023_330),
    ]:
        with pytest.raises(BadSignature):
            CANONICAL.verify(secret, broken, body, now)


def test_a_canonical_event():
    (draft,) = CANONICAL.parse(
        {
            "event": "message.created",
            "id": "abc",
            "contact": {"id": "7", "name": "Ann"},
            "conversation": {"id": "12", "labels": ["vip"]},
            "message": {"id": "9", "text": "Hello", "sender": {"kind": "contact"}},
        },
        SOURCE,
        NOW,
    ).drafts
    assert (draft.dedupe_key, draft.lane_key) == ("id:abc", "contact:7")
    assert draft.event.conversation.labels == ("vip",)
    assert from_data(json.loads(json.dumps(to_data(draft.event)))) == draft.event


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "contact.exploded"}, "event"),
        ({"contact": {"id": ""}}, "contact.id"),
        ({"contact": {"id": "7", "colour": "blue"}}, "contact.colour"),
        ({"event": "message.created"}, "conversation"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"version": -1}, "version"),
    ],
)
def test_a_bad_canonical_event_names_the_field(change, field):
    good = {"event": "contact.created", "id": "abc", "contact": {"id": "7"}}
    with pytest.raises(BadPayload) as error:
        CANONICAL.parse({**good, **change}, SOURCE, NOW)
    assert error.value.field == field
