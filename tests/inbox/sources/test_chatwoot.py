"""What Chatwoot's webhooks are recognised and ordered by.

What each payload means stands in ``tests/inbox/test_sources.py``; here are the natural keys, by
which the same thing told twice becomes one event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hub.inbox.sources import KINDS, BadPayload
from hub.sdk.events import Source
from hub.sdk.testing import payloads

SOURCE = Source(1, "chatwoot", "3", "https://chat.example.com")
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
CHATWOOT = KINDS["chatwoot"]

#: The natural keys of every payload, none where it is ignored. "#" stands for a hash of the body.
KEYS: dict[str, list[str]] = {
    "agent_bot_conversation_opened": ["conversation:1201:open:1784027200700"],
    "agent_bot_conversation_resolved": ["conversation:1201:resolved:1784024100200"],
    "automation_event_conversation_created": [],
    "contact_created_anonymous_visitor": ["contact:501:created"],
    "contact_created_email_inbox": ["contact:503:created"],
    "contact_created_full": ["contact:506:created"],
    "contact_created_name_only": ["contact:505:created"],
    "contact_created_social_only": ["contact:507:created"],
    "contact_created_whatsapp_phone_only": ["contact:504:created"],
    "contact_created_widget_email": ["contact:502:created"],
    "contact_updated_after_merge": ["contact:502:updated:1784023900300"],
    "contact_updated_blocked": ["contact:503:updated:1784023700000"],
    "contact_updated_custom_attributes": ["contact:502:updated:1784023290500"],
    "contact_updated_email_changed": ["contact:502:updated:1784023500200"],
    "contact_updated_email_removed": ["contact:502:updated:1784023460700"],
    "contact_updated_hub_writeback_echo": [],
    "contact_updated_last_activity_noise": [],
    "contact_updated_phone_added": ["contact:502:updated:1784023400100"],
    "contact_updated_visitor_identified": ["contact:501:updated:1784023260231"],
    "contact_updated_whatsapp_profile_name": ["contact:504:updated:1784023202200"],
    "conversation_created_blocked_contact_resolved": [
        "conversation:1206:created",
        "conversation:1206:resolved:1784023800000",
    ],
    "conversation_created_bot_pending_template_last": ["conversation:1205:created"],
    "conversation_created_email": ["conversation:1203:created"],
    "conversation_created_new_after_resolved_whatsapp": ["conversation:1209:created"],
    "conversation_created_no_messages": ["conversation:1202:created"],
    "conversation_created_old_version_4_7": ["conversation:1201:created"],
    "conversation_created_whatsapp": ["conversation:1204:created"],
    "conversation_created_widget_with_message": ["conversation:1201:created"],
    "conversation_status_changed_on_creation_pending": ["conversation:1205:pending:1784023360231"],
    "conversation_status_changed_open_to_pending": ["conversation:1201:pending:1784023600200"],
    "conversation_status_changed_open_to_resolved": ["conversation:1201:resolved:1784024100200"],
    "conversation_status_changed_open_to_snoozed": ["conversation:1201:snoozed:1784023700200"],
    "conversation_status_changed_pending_to_open": ["conversation:1201:open:1784023650200"],
    "conversation_status_changed_race_already_reopened": ["conversation:1201:open:1784027200700"],
    "conversation_status_changed_resolved_to_open_reopened": [
        "conversation:1201:open:1784027200700"
    ],
    "conversation_status_changed_snoozed_until_reply": ["conversation:1201:snoozed:1784023701200"],
    "conversation_typing_off_contact": [],
    "conversation_typing_on_agent": [],
    "conversation_updated_assignee": ["conversation:1201:updated:1784023400400"],
    "conversation_updated_assignee_bot": ["conversation:1201:updated:1784023406400"],
    "conversation_updated_assignee_removed": ["conversation:1201:updated:1784023405400"],
    "conversation_updated_creation_echo": [],
    "conversation_updated_custom_attributes": ["conversation:1201:updated:1784023430400"],
    "conversation_updated_first_reply_noise": [],
    "conversation_updated_labels": ["conversation:1201:updated:1784023415400"],
    "conversation_updated_priority_cleared": ["conversation:1201:updated:1784023425400"],
    "conversation_updated_priority_set": ["conversation:1201:updated:1784023420400"],
    "conversation_updated_status_open_to_pending": ["conversation:1201:pending:1784023600200"],
    "conversation_updated_status_open_to_resolved": ["conversation:1201:resolved:1784024100200"],
    "conversation_updated_status_open_to_snoozed": ["conversation:1201:snoozed:1784023700200"],
    "conversation_updated_status_pending_to_open": ["conversation:1201:open:1784023650200"],
    "conversation_updated_status_resolved_to_open_reopened": [
        "conversation:1201:open:1784027200700"
    ],
    "conversation_updated_team": ["conversation:1201:updated:1784023410400"],
    "conversation_updated_waiting_since_noise": [],
    "inbox_created": [],
    "inbox_updated": [],
    "macro_executed": [],
    "message_created_agent_bot": ["message:8132:created"],
    "message_created_attachments_location_contact": ["message:8122:created"],
    "message_created_attachments_no_text": ["message:8121:created"],
    "message_created_automation_rule": ["message:8134:created"],
    "message_created_captain_assistant": ["message:8133:created"],
    "message_created_incoming_api": ["message:8200:created"],
    "message_created_incoming_email": ["message:8110:created"],
    "message_created_incoming_whatsapp": ["message:8120:created"],
    "message_created_incoming_widget": ["message:8101:created"],
    "message_created_long_text": ["message:8201:created"],
    "message_created_outgoing_agent": ["message:8102:created"],
    "message_created_private_note": ["message:8103:created"],
    "message_created_private_note_empty_nested": ["message:8301:created"],
    "message_created_template_csat": ["message:8140:created"],
    "message_created_template_greeting": ["message:8131:created"],
    "message_updated_after_contact_merge": ["message:8101:updated:#"],
    "message_updated_deleted": ["message:8102:updated:#"],
    "message_updated_delivered": ["message:8102:updated:#"],
    "message_updated_failed": ["message:8102:updated:#"],
    "message_updated_interactive_answer": ["message:8202:updated:#"],
    "webwidget_triggered_no_conversation": [],
    "webwidget_triggered_returning": [],
}


def drafts_of(data):
    return CHATWOOT.parse(data, SOURCE, NOW).drafts


def set_change(data, name, previous, current):
    """Put a change into the payload's change list."""
    listed = [change for change in data["changed_attributes"] or () if name not in change]
    listed.append({name: {"previous_value": previous, "current_value": current}})
    data["changed_attributes"] = listed


def test_every_payload_has_stated_keys():
    assert set(KEYS) == set(payloads.names())


@pytest.mark.parametrize("name", KEYS)
def test_natural_keys(name):
    found = [draft.dedupe_key for draft in drafts_of(payloads.load(name))]
    expected = KEYS[name]
    assert len(found) == len(expected)
    for key, wanted in zip(found, expected, strict=True):
        if wanted.endswith("#"):
            prefix, fingerprint = key.rsplit(":", 1)
            assert prefix + ":#" == wanted
            assert len(fingerprint) == 24
        else:
            assert key == wanted


def test_different_updates_of_one_message_have_different_keys():
    names = ["deleted", "delivered", "failed"]
    keys = [drafts_of(payloads.load(f"message_updated_{name}"))[0].dedupe_key for name in names]
    assert len(set(keys)) == 3


@pytest.mark.parametrize("micros", [0, 1, 499, 500, 501, 731, 999])
def test_twins_agree_whatever_the_microseconds(micros):
    """A body tells microseconds; of the change list's Rails cuts off all but milliseconds."""
    one = payloads.load("conversation_status_changed_open_to_resolved")
    other = payloads.load("conversation_updated_status_open_to_resolved")
    one["updated_at"] = other["updated_at"] = json.loads(f"1784024100.200{micros:03}")
    set_change(other, "updated_at", "2026-07-14T10:07:30.200Z", "2026-07-14T10:15:00.200Z")
    (one,), (other,) = drafts_of(one), drafts_of(other)
    assert one.dedupe_key == other.dedupe_key == "conversation:1201:resolved:1784024100200"
    assert one.event.version == other.event.version == 1_784_024_100_200_000


def test_every_millisecond_is_read_exactly():
    data = payloads.load("conversation_status_changed_open_to_resolved")
    for millisecond in range(1_000):
        data["updated_at"] = json.loads(f"1784024100.{millisecond:03}")
        assert drafts_of(data)[0].event.version == 1_784_024_100_000_000 + millisecond * 1_000


def test_a_change_list_in_a_status_change_is_believed():
    data = payloads.load("conversation_status_changed_race_already_reopened")
    set_change(data, "status", "open", "resolved")
    set_change(data, "updated_at", None, "2026-07-14T10:15:00.200Z")
    (draft,) = drafts_of(data)
    assert draft.event.name == "conversation.resolved"
    assert draft.event.conversation.status == "resolved"
    assert draft.dedupe_key == "conversation:1201:resolved:1784024100200"


@pytest.mark.parametrize("status", [None, 1, [], {}, "exploded"])
def test_a_change_to_an_unknown_status_is_refused_not_passed_over(status):
    data = payloads.load("conversation_updated_status_open_to_resolved")
    set_change(data, "status", "open", status)
    with pytest.raises(BadPayload) as error:
        drafts_of(data)
    assert error.value.field == "changed_attributes.status.current_value"


def test_all_events_of_one_save_tell_the_same_status():
    data = payloads.load("conversation_updated_status_open_to_resolved")
    data["status"] = "open"  # built after a reopening
    set_change(data, "priority", None, "high")
    resolved, updated = drafts_of(data)
    assert resolved.event.version == updated.event.version
    assert resolved.event.conversation.status == updated.event.conversation.status == "resolved"


def test_a_birth_told_after_the_resolve_shares_the_key_of_the_resolve():
    born = payloads.load("conversation_created_widget_with_message")
    resolved = payloads.load("conversation_status_changed_open_to_resolved")
    born["status"], born["updated_at"] = "resolved", resolved["updated_at"]
    assert drafts_of(born)[1].dedupe_key == drafts_of(resolved)[0].dedupe_key


@pytest.mark.parametrize(
    ("before", "after", "concerns"),
    [
        ({"created_at_ip": "203.0.113.24"}, {"updated_at_ip": "203.0.113.25"}, False),
        ({"external": {"glpi_id": 1}}, {}, False),
        (None, {"external": {"glpi_id": 1}}, False),
        ({"city": "Cork"}, {"city": "Galway", "external": {"glpi_id": 1}}, True),
        ({"company_name": "O'Neil"}, {}, True),
    ],
)
def test_additional_attributes_that_concern_a_crm(before, after, concerns):
    data = payloads.load("contact_updated_hub_writeback_echo")
    set_change(data, "additional_attributes", before, after)
    assert bool(drafts_of(data)) == concerns


@pytest.mark.parametrize("unknown", ["null", "absent"])
def test_a_contact_update_without_a_change_list_concerns_a_crm(unknown):
    data = payloads.load("contact_updated_last_activity_noise")
    if unknown == "null":
        data["changed_attributes"] = None
    else:
        del data["changed_attributes"]
    (draft,) = drafts_of(data)
    assert draft.event.name == "contact.updated"
    assert draft.event.version is None


def test_without_a_contact_the_lane_is_found_elsewhere():
    data = payloads.load("conversation_created_email")
    data["meta"]["sender"] = None
    (draft,) = drafts_of(data)
    assert (draft.lane_key, draft.event.contact) == ("contact:503", None)
    data["contact_inbox"] = None
    assert drafts_of(data)[0].lane_key == "conversation:1203"


@pytest.mark.parametrize(
    ("last", "name"),
    [
        ("invoice-4711.pdf", "invoice-4711.pdf"),
        ("Rechnung%20M%C3%BCller.pdf?disposition=inline", "Rechnung Müller.pdf"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("a%00b%0a.txt", "ab.txt"),
        ("", None),
    ],
)
def test_the_name_of_a_file_is_as_people_wrote_it(last, name):
    data = payloads.load("message_created_incoming_email")
    data["attachments"][0]["data_url"] = f"https://chat.example.com/blobs/redirect/x/{last}"
    assert drafts_of(data)[0].event.message.attachments[0].name == name


def test_an_attachment_of_an_unknown_type_is_passed_over():
    data = payloads.load("message_created_attachments_no_text")
    data["attachments"].insert(0, None)
    assert len(drafts_of(data)[0].event.message.attachments) == 2


def test_what_a_customer_chose_and_why_a_message_failed_are_kept():
    (answer,) = drafts_of(payloads.load("message_updated_interactive_answer"))
    assert answer.event.message.attributes["submitted_values"] == [
        {"title": "Support", "value": "support"}
    ]
    (failed,) = drafts_of(payloads.load("message_updated_failed"))
    assert failed.event.message.attributes["external_error"].startswith("131047")
    (deleted,) = drafts_of(payloads.load("message_updated_deleted"))
    assert deleted.event.message.deleted
