"""The parts of Chatwoot's payloads: contact, conversation, message, changes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from urllib.parse import unquote

from hub.inbox.sources.chatwoot.identity import networks, proven
from hub.inbox.sources.chatwoot.pictures import pasted
from hub.inbox.sources.reader import Reader, to_moment
from hub.sdk.events import (
    Attachment,
    Change,
    Contact,
    Conversation,
    Direction,
    Message,
    Priority,
    Sender,
    SenderKind,
    Source,
    Status,
)
from hub.sdk.redaction import MASK

STATUSES = ("open", "pending", "snoozed", "resolved")
_PRIORITIES = ("low", "medium", "high", "urgent")
_SENDERS: dict[str, SenderKind] = {
    "user": "user",
    "agent_bot": "bot",
    "captain_assistant": "assistant",
    "contact": "contact",
}
#: The direction of a message: by name in its own webhooks, by number where it is nested.
_DIRECTIONS: dict[Any, Direction] = {
    "incoming": "incoming",
    "outgoing": "outgoing",
    "template": "template",
    0: "incoming",
    1: "outgoing",
    3: "template",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
#: Keys with credentials: of a visitor's live connection, of users and of API inboxes.
_CREDENTIALS = frozenset({"pubsub_token", "access_token", "hmac_token", "secret"})
_CONTAINERS = (dict, list)
#: The parts of a mail that are kept besides its text.
_MAIL_KEYS = ("subject", "from", "to", "cc", "bcc", "date", "message_id", "in_reply_to")


def account_id(body: Reader, source: Source) -> str | None:
    """The account's number in Chatwoot. Payloads of conversations only have it since 4.14.2."""
    account = body.mapping("account").get("id")
    known = isinstance(account, int | str) and not isinstance(account, bool)
    return str(account) if known else source.account_id


def contact(
    found: Reader, account: str | None, source: Source, talk: Reader | None = None
) -> Contact:
    """A contact, from the body of ``contact_*`` or from ``meta.sender`` of the conversation
    ``talk``."""
    number = found.id()
    additional = found.mapping("additional_attributes")
    details = Reader(additional)
    return Contact(
        id=number,
        name=found.text("name") or "",
        email=found.text("email"),
        phone=found.text("phone_number"),
        identifier=found.text("identifier"),
        company=details.text("company_name"),
        city=details.text("city"),
        country_code=details.text("country_code"),
        blocked=found.flag("blocked"),
        url=_link(source, account, "contacts", number),
        custom_attributes=found.mapping("custom_attributes"),
        additional_attributes=additional,
        networks=networks(details, talk),
        proven=proven(found.text("phone_number"), talk) if talk is not None else frozenset(),
    )


def conversation(found: Reader, account: str | None, source: Source) -> Conversation:
    """A conversation in the state that the payload shows. It may be newer than the event."""
    number = found.id()
    meta = Reader(found.mapping("meta"))
    additional = Reader(found.mapping("additional_attributes"))
    labels = found.data.get("labels")
    return Conversation(
        id=number,
        status=cast(Status, found.one_of("status", STATUSES) or "open"),
        priority=cast("Priority | None", found.one_of("priority", _PRIORITIES)),
        inbox_id=found.optional_id("inbox_id"),
        channel=found.text("channel"),
        subject=additional.text("mail_subject"),
        assignee=Reader(meta.mapping("assignee")).text("name"),
        team=Reader(meta.mapping("team")).text("name"),
        labels=tuple(str(label) for label in labels) if isinstance(labels, list) else (),
        url=_link(source, account, "conversations", number),
        created_at=found.moment("created_at"),
        custom_attributes=found.mapping("custom_attributes"),
        assignee_id=_assigned_agent(meta),
        auto_reply=additional.flag("auto_reply"),
    )


def _assigned_agent(meta: Reader) -> str | None:
    assignee = Reader(meta.mapping("assignee"))
    number = assignee.data.get("id")
    is_agent = assignee.data.get("type", "user") == "user" and isinstance(number, int | str)
    return str(number) if is_agent else None


def person_of(found: Reader) -> Reader | None:
    """The contact of a conversation, if the payload has its id."""
    meta = found.object("meta")
    sender = meta.object("sender") if meta is not None else None
    return sender if sender is not None and sender.data.get("id") is not None else None


def message(found: Reader, source: Source) -> Message:
    """A message, from the body of ``message_*``."""
    attributes = found.mapping("content_attributes")
    mail = Reader(Reader(attributes).mapping("email"))
    attachments = [_attachment(item) for item in found.objects("attachments")]
    pictures, missing = pasted(mail, attachments, source.base_url)
    # Numbered by their order in the HTML, which never changes.
    attachments += [
        Attachment("image", f"inline-{place}", url, _file_name(url))
        for place, url in enumerate(pictures, start=1)
    ]
    return Message(
        id=found.id(),
        direction=_direction(found),
        text=(text := _text(found, attributes)),
        private=found.flag("private"),
        deleted=attributes.get("deleted") is True,
        content_type=found.text("content_type") or "text",
        sender=_sender(found.mapping("sender")),
        created_at=found.moment("created_at"),
        attachments=tuple(attachments),
        attributes=_without_mail_bodies(attributes),
        whole_text=_whole_text(found, attributes, text),
        auto_reply=mail.flag("auto_reply"),
        from_phone=attributes.get("external_echo") is True,
        missing_files=missing,
    )


def changes(body: Reader) -> dict[str, Change] | None:
    """What the event changed; ``None`` if the payload does not say."""
    listed = body.data.get("changed_attributes")
    if not isinstance(listed, list):
        return None
    found: dict[str, Change] = {}
    for item in listed:
        for name, values in item.items() if isinstance(item, dict) else ():
            if isinstance(values, dict):
                found[str(name)] = Change(values.get("previous_value"), values.get("current_value"))
    return found


def milliseconds(value: Any) -> int | None:
    """A moment of a payload in milliseconds since 1970.

    Bodies have microseconds. Change lists have milliseconds: Rails' ``xmlschema(3)`` cuts them off.
    Cutting off here, too, makes both agree.
    """
    moment = to_moment(value)
    return None if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1)


def without_credentials(value: Any) -> Any:
    """The payload with credentials masked, as it is stored."""
    if isinstance(value, dict):
        return {
            key: MASK
            if key in _CREDENTIALS and item
            else without_credentials(item)
            if isinstance(item, _CONTAINERS)
            else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_credentials(item) for item in value]
    return value


def _direction(found: Reader) -> Direction:
    value = found.data.get("message_type")
    known = isinstance(value, str | int) and not isinstance(value, bool) and value in _DIRECTIONS
    if not known:
        found.one_of("message_type", ("incoming", "outgoing", "template"))
    return _DIRECTIONS[value] if known else "incoming"


def _text(found: Reader, attributes: dict[str, Any]) -> str:
    """The text. Of a mail: the reply without quoted mails, which Chatwoot calls ``quoted``."""
    mail = attributes.get("email")
    parts = mail.get("text_content") if isinstance(mail, dict) else None
    trimmed = parts.get("quoted") if isinstance(parts, dict) else None
    if isinstance(trimmed, str) and trimmed.strip():
        return trimmed
    return found.text("content") or ""


def _whole_text(found: Reader, attributes: dict[str, Any], text: str) -> str | None:
    """The whole text of a mail, with quoted and forwarded mails and the signature; ``None`` if it
    is the same as ``text``, or no mail."""
    whole = found.text("content")
    is_mail = isinstance(attributes.get("email"), dict)
    return whole if is_mail and whole and whole.strip() != text.strip() else None


def _sender(found: dict[str, Any]) -> Sender:
    """The sender. Templates, automations and campaigns have none. A contact has no type."""
    if not found:
        return Sender("system")
    reader = Reader(found)
    number = found.get("id")
    return Sender(
        kind=_SENDERS.get(str(found.get("type") or "contact"), "system"),
        id=str(number) if isinstance(number, int | str) else None,
        name=reader.text("name") or "",
        email=reader.text("email"),
    )


def _attachment(found: Reader) -> Attachment:
    url = found.text("data_url")
    size = found.number("file_size")
    names = Reader(found.mapping("meta"))
    person = " ".join(filter(None, (names.text("firstName"), names.text("lastName"))))
    title = found.text("fallback_title")
    number = found.data.get("id")
    return Attachment(
        kind=found.text("file_type") or "file",
        id=str(number) if isinstance(number, int | str) else None,
        url=url,
        name=_file_name(url),
        content_type=found.text("content_type"),
        size=int(size) if size is not None else None,
        title=f"{person} {title or ''}".strip() or None if person else title,
        latitude=found.number("coordinates_lat"),
        longitude=found.number("coordinates_long"),
    )


def _file_name(url: str | None) -> str | None:
    """The last part of an address, decoded: "Invoice 4711.pdf", not "Invoice%204711.pdf"."""
    last = unquote((url or "").partition("?")[0].rpartition("/")[2])
    return _CONTROLS.sub("", last.rpartition("/")[2]) or None


def _without_mail_bodies(attributes: dict[str, Any]) -> dict[str, Any]:
    mail = attributes.get("email")
    if not isinstance(mail, dict):
        return attributes
    kept = {key: mail[key] for key in _MAIL_KEYS if mail.get(key)}
    return {**attributes, "email": kept}


def _link(
    source: Source, account: str | None, what: Literal["contacts", "conversations"], number: str
) -> str | None:
    if not source.base_url or not account:
        return None
    return f"{source.base_url}/app/accounts/{account}/{what}/{number}"
