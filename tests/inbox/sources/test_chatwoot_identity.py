"""What a Chatwoot payload tells of who somebody is for sure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.inbox.sources import KINDS
from hub.sdk.events import Contact, Source
from hub.sdk.testing import payloads

SOURCE = Source(1, "chatwoot", "3")
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def contact_of(data: dict[str, Any]) -> Contact:
    contact = KINDS["chatwoot"].parse(data, SOURCE, NOW).drafts[0].event.contact
    assert contact is not None
    return contact


def written_by(channel: str, source_id: str, phone: str | None = None, **inbox: Any) -> Contact:
    """The contact of a conversation in this channel, from this address."""
    data = payloads.load("conversation_created_widget_with_message")
    data["channel"] = channel
    data["contact_inbox"].update({"source_id": source_id, **inbox})
    data["meta"]["sender"]["phone_number"] = phone
    data["meta"]["sender"]["additional_attributes"] = {}
    return contact_of(data)


@pytest.mark.parametrize(
    ("channel", "source_id", "networks"),
    [
        ("Channel::Telegram", "308786162", {"telegram": "308786162"}),
        ("Channel::FacebookPage", "7216398115", {"facebook": "7216398115"}),
        ("Channel::Instagram", "1784", {"instagram": "1784"}),
        ("Channel::Line", "U8f3", {"line": "U8f3"}),
        ("Channel::Whatsapp", "DE.219993364921741", {"whatsapp": "DE.219993364921741"}),
        ("Channel::Whatsapp", "4915507382487", {}),
        ("Channel::WebWidget", "054c73a5-e86e-401c-878e-661ba5569d29", {}),
        ("Channel::Email", "boss@example.com", {}),
        ("Channel::Api", "038cb46c-6075-4c1e-b151-63a7f66829bc", {}),
        ("Channel::Sms", "+4915752142167", {}),
    ],
)
def test_networks(channel: str, source_id: str, networks: dict[str, str]) -> None:
    assert written_by(channel, source_id).networks == networks


def test_a_contact_of_its_own_tells_the_network_in_its_attributes() -> None:
    data = payloads.load("contact_created_social_only")
    data["additional_attributes"] = {"social_telegram_user_id": 308786162, "username": "tom"}
    assert contact_of(data).networks == {"telegram": "308786162"}


@pytest.mark.parametrize(
    ("channel", "source_id", "phone", "proven"),
    [
        ("Channel::Whatsapp", "4915507382487", "+4915507382487", {"phone"}),
        ("Channel::TwilioSms", "whatsapp:+4915507382487", "+49 155 07382487", {"phone"}),
        # He was asked for another number, or an agent has written one there.
        ("Channel::Whatsapp", "4915507382487", "+4915500000000", set()),
        ("Channel::Whatsapp", "DE.219993364921741", "+4915507382487", set()),
        # The sender of a text message can be forged, and so can a mail's From.
        ("Channel::TwilioSms", "+4915507382487", "+4915507382487", set()),
        ("Channel::Sms", "+4915752142167", "+4915752142167", set()),
        ("Channel::Email", "boss@example.com", None, set()),
        ("Channel::WebWidget", "4915507382487", "+4915507382487", set()),
        # Whoever calls Chatwoot's public API for these names the id himself.
        ("Channel::Api", "whatsapp:+4915507382487", "+4915507382487", set()),
    ],
)
def test_a_number_is_proven_by_whatsapp_alone(
    channel: str, source_id: str, phone: str | None, proven: set[str]
) -> None:
    assert written_by(channel, source_id, phone).proven == proven


def test_a_signed_identifier_is_proven_and_nothing_else_with_it() -> None:
    contact = written_by("Channel::WebWidget", "054c", "+4915507382487", hmac_verified=True)
    assert contact.proven == {"identifier"}


def test_a_contact_that_comes_without_a_conversation_proves_nothing() -> None:
    assert contact_of(payloads.load("contact_created_full")).proven == frozenset()


def test_a_mail_tells_its_whole_text_and_whether_a_machine_wrote_it() -> None:
    data = payloads.load("message_created_incoming_email")
    data["content_attributes"]["email"]["auto_reply"] = True
    message = KINDS["chatwoot"].parse(data, SOURCE, NOW).drafts[0].event.message
    assert message is not None
    assert message.auto_reply
    assert message.whole_text == data["content"]
    assert message.text in data["content"]
    assert message.text != data["content"]


def test_what_the_phone_app_has_sent_is_marked() -> None:
    data = payloads.load("message_created_automation_rule")
    data["content_attributes"] = {"external_echo": True}
    message = KINDS["chatwoot"].parse(data, SOURCE, NOW).drafts[0].event.message
    assert message is not None
    assert message.from_phone
