"""The generic source: canonical events as JSON, signed as Standard Webhooks describes.

The headers are ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``. The signed text is
id, timestamp and body, joined by full stops. A signature is ``v1,`` followed by the base64
HMAC-SHA256. The header may hold several signatures, so that a secret can be changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from hub.inbox.sources.kind import TOLERANCE, BadPayload, BadSignature, Draft, Parsed
from hub.sdk import events
from hub.sdk.events import Attachment, Change, Contact, Conversation, Event, Message, Sender, Source
from hub.sdk.translation import for_people

_SIGNATURE = "webhook-signature"
_ID = validate.Length(min=1, max=80)
#: Digits of unix seconds, with room for some 30,000 years.
_MOST_DIGITS = 12


def _has_utc(moment: datetime) -> None:
    """Refuse moments that are out of range in UTC, since they cannot be stored."""
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationError("Not a valid datetime.") from error


class _Schema(Schema):
    class Meta:
        unknown = RAISE


class _ContactSchema(_Schema):
    id = fields.String(required=True, validate=_ID)
    name = fields.String(load_default="")
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    identifier = fields.String(allow_none=True)
    company = fields.String(allow_none=True)
    city = fields.String(allow_none=True)
    country_code = fields.String(allow_none=True)
    blocked = fields.Boolean()
    url = fields.URL(allow_none=True, require_tld=False)
    custom_attributes = fields.Dict(keys=fields.String())
    additional_attributes = fields.Dict(keys=fields.String())
    networks = fields.Dict(keys=fields.String(validate=_ID), values=fields.String(validate=_ID))
    proven = fields.List(fields.String(validate=validate.OneOf(["identifier", "phone"])))


class _ConversationSchema(_Schema):
    id = fields.String(required=True, validate=_ID)
    status = fields.String(validate=validate.OneOf(["open", "pending", "snoozed", "resolved"]))
    priority = fields.String(
        allow_none=True, validate=validate.OneOf(["low", "medium", "high", "urgent"])
    )
    inbox_id = fields.String(allow_none=True, validate=_ID)
    inbox_name = fields.String(allow_none=True)
    channel = fields.String(allow_none=True)
    subject = fields.String(allow_none=True)
    assignee = fields.String(allow_none=True)
    team = fields.String(allow_none=True)
    labels = fields.List(fields.String())
    url = fields.URL(allow_none=True, require_tld=False)
    created_at = fields.AwareDateTime(allow_none=True, default_timezone=UTC, validate=_has_utc)
    custom_attributes = fields.Dict(keys=fields.String())
    assignee_id = fields.String(allow_none=True, validate=_ID)
    auto_reply = fields.Boolean()


class _SenderSchema(_Schema):
    kind = fields.String(
        required=True,
        validate=validate.OneOf(["contact", "user", "bot", "assistant", "system"]),
    )
    id = fields.String(allow_none=True)
    name = fields.String()
    email = fields.String(allow_none=True)


class _AttachmentSchema(_Schema):
    kind = fields.String(required=True)
    id = fields.String(allow_none=True)
    url = fields.URL(allow_none=True, require_tld=False)
    name = fields.String(allow_none=True)
    content_type = fields.String(allow_none=True)
    size = fields.Integer(allow_none=True, validate=validate.Range(min=0))
    title = fields.String(allow_none=True)
    latitude = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)


class _MessageSchema(_Schema):
    id = fields.String(required=True, validate=_ID)
    direction = fields.String(validate=validate.OneOf(["incoming", "outgoing", "template"]))
    text = fields.String()
    private = fields.Boolean()
    deleted = fields.Boolean()
    content_type = fields.String()
    sender = fields.Nested(_SenderSchema)
    created_at = fields.AwareDateTime(allow_none=True, default_timezone=UTC, validate=_has_utc)
    attachments = fields.List(fields.Nested(_AttachmentSchema))
    attributes = fields.Dict(keys=fields.String())
    whole_text = fields.String(allow_none=True)
    auto_reply = fields.Boolean()
    from_phone = fields.Boolean()
    missing_files = fields.Integer(validate=validate.Range(min=0, max=1_000))


class _ChangeSchema(_Schema):
    previous = fields.Raw(allow_none=True, load_default=None)
    current = fields.Raw(allow_none=True, load_default=None)


class EventSchema(_Schema):
    """A canonical event as it is sent. ``id`` is the sender's; duplicates are recognised by it."""

    event = fields.String(required=True, validate=validate.OneOf(events.EVENT_NAMES))
    id = fields.String(required=True, validate=validate.Length(min=1, max=150))
    occurred_at = fields.AwareDateTime(default_timezone=UTC, validate=_has_utc)
    version = fields.Integer(
        allow_none=True, validate=validate.Range(min=0, max=2**62), strict=True
    )
    contact = fields.Nested(_ContactSchema)
    conversation = fields.Nested(_ConversationSchema)
    message = fields.Nested(_MessageSchema)
    changes = fields.Dict(keys=fields.String(), values=fields.Nested(_ChangeSchema))


#: Made once, because making a schema costs more than using it.
_SCHEMA = EventSchema()


class CanonicalSource:
    """The source kind ``events``. Implements ``hub.inbox.sources.kind.SourceKind``."""

    name = "events"
    title = for_people("Own code (canonical events)")
    headers = ("webhook-",)

    def is_signed(self, headers: Mapping[str, str]) -> bool:
        """Whether the request claims a signature."""
        return _SIGNATURE in headers

    def verify(self, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """See ``SourceKind.verify``."""
        given, timestamp = headers.get(_SIGNATURE), headers.get("webhook-timestamp")
        message_id = headers.get("webhook-id")
        if not given or not timestamp or not message_id:
            raise BadSignature(
                "missing",
                "The request is not signed: webhook-id, webhook-timestamp and webhook-signature "
                "are needed.",
            )
        if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > _MOST_DIGITS:
            raise BadSignature("malformed", "webhook-timestamp must be unix seconds.")
        signed = f"{message_id}.{timestamp}.".encode() + body
        expected = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
        signatures = [
            part.removeprefix("v1,").encode("utf-8", "replace")
            for part in given.split()
            if part.startswith("v1,")
        ]
        matches = [hmac.compare_digest(signature, expected) for signature in signatures]
        if not any(matches):
            raise BadSignature("wrong", "The signature is wrong for this source's secret.")
        age = now - int(timestamp)
        if abs(age) > TOLERANCE:
            when = "old" if age > 0 else "ahead of the hub's clock"
            raise BadSignature("stale", f"The request is {abs(age):.0f} seconds {when}.")

    def delivery_id(self, headers: Mapping[str, str]) -> str | None:
        """The message id. It stays the same when the message is sent again."""
        return headers.get("webhook-id", "")[:100] or None

    def sent_at(self, headers: Mapping[str, str]) -> float:
        """See ``SourceKind.sent_at``."""
        return float(headers["webhook-timestamp"])

    def parse(self, data: Any, source: Source, received_at: datetime) -> Parsed:
        """See ``SourceKind.parse``."""
        if not isinstance(data, dict):
            raise BadPayload("body", "The body must be an object.")
        try:
            loaded: dict[str, Any] = _SCHEMA.load(data)
        except ValidationError as error:
            field, reason = _first(error.messages)
            raise BadPayload(field, f'"{field}": {reason}') from error
        event = _event(loaded, source, received_at)
        if event.contact is not None:
            lane = f"contact:{event.contact.id}"
        else:
            assert event.conversation is not None, "checked by _event"
            lane = f"conversation:{event.conversation.id}"
        return Parsed(event.name, (Draft(event, f"id:{loaded['id']}", lane),), data)


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    """The path to the first wrong field, and marshmallow's message about it."""
    while isinstance(messages, dict):
        name = next(iter(messages))
        path = path if name == "_schema" else f"{path}.{name}".strip(".")
        messages = messages[name]
    return path or "body", str(messages[0] if isinstance(messages, list) else messages)


def _event(loaded: dict[str, Any], source: Source, received_at: datetime) -> Event:
    name: str = loaded["event"]
    subject = name.partition(".")[0]
    needed = {"contact": ["contact"], "conversation": ["conversation"]}.get(
        subject, ["conversation", "message"]
    )
    for part in needed:
        if part not in loaded:
            raise BadPayload(part, f'"{part}" is missing: {name} needs it.')
    if name == events.CONVERSATION_RESOLVED:
        status = loaded["conversation"].setdefault("status", "resolved")
        if status != "resolved":
            raise BadPayload(
                "conversation.status",
                f'"conversation.status" must be resolved in {name}, not {status}.',
            )
    return Event(
        id=0,
        name=name,
        occurred_at=loaded.get("occurred_at", received_at),
        source=source,
        contact=_contact(loaded["contact"]) if "contact" in loaded else None,
        conversation=_conversation(loaded["conversation"]) if "conversation" in loaded else None,
        message=_message(loaded["message"]) if "message" in loaded else None,
        changes={key: Change(**change) for key, change in loaded.get("changes", {}).items()},
        version=loaded.get("version"),
    )


def _contact(loaded: dict[str, Any]) -> Contact:
    return Contact(**{**loaded, "proven": frozenset(loaded.get("proven", ()))})


def _conversation(loaded: dict[str, Any]) -> Conversation:
    return Conversation(**{**loaded, "labels": tuple(loaded.get("labels", ()))})


def _message(loaded: dict[str, Any]) -> Message:
    return Message(
        **{
            **loaded,
            "sender": Sender(**loaded.get("sender", {"kind": "system"})),
            "attachments": tuple(Attachment(**item) for item in loaded.get("attachments", ())),
        }
    )
