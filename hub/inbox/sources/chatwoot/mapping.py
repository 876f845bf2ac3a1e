"""What each of Chatwoot's webhooks means.

Two webhooks may report the same thing: a change of status comes as ``conversation_status_changed``
and as ``conversation_updated``. Both get the same natural key, so they become one event. One
webhook may report two things, such as a save that sets status and priority. It becomes two events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from hub.inbox.sources.chatwoot import payload
from hub.inbox.sources.kind import BadPayload, Draft, Parsed
from hub.inbox.sources.reader import Reader, to_moment
from hub.sdk import events
from hub.sdk.events import Change, Contact, Conversation, Event, Message, Source, Status

#: Changes of a contact that a CRM may want. The others are ignored: ``last_activity_at``, for
#: example, changes with every incoming message.
_CONTACT_CHANGES = (
    "name",
    "email",
    "phone_number",
    "identifier",
    "custom_attributes",
    "additional_attributes",
    "blocked",
)
#: Changes of a conversation that a CRM may want. Changed timestamps are ignored.
_CONVERSATION_CHANGES = (
    "priority",
    "assignee_id",
    "assignee_agent_bot_id",
    "team_id",
    "label_list",
    "custom_attributes",
)
#: Keys of ``additional_attributes`` that concern no CRM: the ids that CRM integrations store there,
#: and the visitor's IP addresses.
_UNCONCERNING_KEYS = frozenset({"external", "created_at_ip", "updated_at_ip"})

_NOISE = {
    "webwidget_triggered": "A visitor opened the widget; nothing was said yet.",
    "conversation_typing_on": "Somebody is typing.",
    "conversation_typing_off": "Somebody stopped typing.",
    "inbox_created": "Inboxes concern no CRM.",
    "inbox_updated": "Inboxes concern no CRM.",
    "macro.executed": "What a macro changes comes as events of its own.",
}


def parse(data: Any, source: Source, received_at: datetime) -> Parsed:
    """What a webhook means.

    :raises BadPayload: its form is unknown.
    """
    body = Reader(data)
    name = body.data.get("event")
    if not isinstance(name, str) or not name:
        raise BadPayload("event", '"event" must be the name of an event.')
    if name in _NOISE or name.startswith("automation_event."):
        reason = _NOISE.get(name, "What an automation rule acts on comes as an event of its own.")
        return Parsed(name, (), None, reason)
    handler = _HANDLERS.get(name)
    if handler is None:
        return Parsed(name, (), None, f"{name[:60]} is not an event that the hub knows.")
    outcome = handler(body, source, received_at)
    if isinstance(outcome, str):
        return Parsed(name, (), None, outcome)
    return Parsed(name, tuple(outcome), payload.without_credentials(data))


Outcome = list[Draft] | str


def _contact_created(body: Reader, source: Source, received_at: datetime) -> Outcome:
    contact = payload.contact(body, payload.account_id(body, source), source)
    return [
        _draft(
            _event(events.CONTACT_CREATED, source, received_at, contact=contact),
            f"contact:{contact.id}:created",
        )
    ]


def _contact_updated(body: Reader, source: Source, received_at: datetime) -> Outcome:
    changed = payload.changes(body)
    if changed is not None and not any(map(_concerns_a_crm, changed.items())):
        return "Only the contact's activity was noted."
    contact = payload.contact(body, payload.account_id(body, source), source)
    changed = changed or {}
    updated_at = changed["updated_at"].current if "updated_at" in changed else None
    moment = payload.milliseconds(updated_at)
    return [
        _draft(
            _event(
                events.CONTACT_UPDATED,
                source,
                to_moment(updated_at) or received_at,
                contact=contact,
                changes={name: changed[name] for name in _CONTACT_CHANGES if name in changed},
                version=None if moment is None else moment * 1000,
            ),
            f"contact:{contact.id}:updated:{moment or _fingerprint(body)}",
        )
    ]


def _concerns_a_crm(change: tuple[str, Change]) -> bool:
    name, values = change
    if name != "additional_attributes":
        return name in _CONTACT_CHANGES
    # What a CRM integration wrote there comes back as an event. That echo must be ignored.
    before, after = (
        {key: item for key, item in value.items() if key not in _UNCONCERNING_KEYS}
        if isinstance(value, dict)
        else {}
        for value in (values.previous, values.current)
    )
    return before != after


def _conversation_created(body: Reader, source: Source, received_at: datetime) -> Outcome:
    conversation, contact = _conversation(body, source)
    version = _version(body)
    born = _event(
        events.CONVERSATION_CREATED,
        source,
        conversation.created_at or received_at,
        contact=contact,
        conversation=conversation,
        version=version,
    )
    drafts = [
        replace(
            _draft(born, f"conversation:{conversation.id}:created", body, conversation.created_at),
            # ``created_at`` is in whole seconds, so it sorts before the first message.
            # ``updated_at`` is exact.
            latest=body.moment("updated_at"),
        )
    ]
    if conversation.status == "resolved":
        # The conversation of a blocked contact is created as resolved, and no change of status
        # follows. If it was resolved later, but before this body was made, a change of status does
        # follow; it has the same key.
        change = Change(None, "resolved")
        moment = payload.milliseconds(body.data.get("updated_at"))
        drafts.append(_status(conversation, contact, change, moment, source, received_at, body))
    return drafts


def _status_changed(body: Reader, source: Source, received_at: datetime) -> Outcome:
    conversation, contact = _conversation(body, source)
    # Chatwoot 4.15.1 sends no list of changes here. If a later version does, the list is more
    # reliable: the body may be newer than the change.
    changed = payload.changes(body) or {}
    change = _status_change(changed) or Change(None, conversation.status)
    moment = payload.milliseconds(_changed_at(changed, body))
    return [_status(conversation, contact, change, moment, source, received_at, body)]


def _conversation_updated(body: Reader, source: Source, received_at: datetime) -> Outcome:
    changed = payload.changes(body)
    if changed is None:
        return "The change that it tells of is not named."
    if "id" in changed and changed["id"].previous is None:
        return "It repeats the creation of the conversation."
    conversation, contact = _conversation(body, source)
    updated_at = _changed_at(changed, body)
    moment = payload.milliseconds(updated_at)
    drafts = []
    change = _status_change(changed)
    if change is not None:
        drafts.append(_status(conversation, contact, change, moment, source, received_at, body))
        # The other changes of this save have the same version, so they must show the same status.
        conversation = replace(conversation, status=change.current)
    others = {name: changed[name] for name in _CONVERSATION_CHANGES if name in changed}
    if others:
        event = _event(
            events.CONVERSATION_UPDATED,
            source,
            to_moment(updated_at) or received_at,
            contact=contact,
            conversation=conversation,
            changes=others,
            version=None if moment is None else moment * 1000,
        )
        key = f"conversation:{conversation.id}:updated:{moment or _fingerprint(body)}"
        drafts.append(_draft(event, key, body, to_moment(updated_at)))
    return drafts or "Only clocks of the conversation moved."


def _changed_at(changed: dict[str, Change], body: Reader) -> Any:
    """When the change was made. If that is not told: when the state in the body was saved."""
    named = changed.get("updated_at")
    return named.current if named else body.data.get("updated_at")


def _status_change(changed: dict[str, Change]) -> Change | None:
    """The change of status, if there is one.

    :raises BadPayload: the new status is unknown. Ignoring it could lose a resolve.
    """
    change = changed.get("status")
    if change is not None and change.current not in payload.STATUSES:
        field = "changed_attributes.status.current_value"
        allowed = ", ".join(payload.STATUSES)
        raise BadPayload(field, f'"{field}" must be one of {allowed}, not {change.current!r:.40}.')
    return change


def _status(
    conversation: Conversation,
    contact: Contact | None,
    change: Change,
    moment: int | None,
    source: Source,
    received_at: datetime,
    body: Reader,
) -> Draft:
    """One change of status, from either of its two webhooks.

    The body may be newer than the change. So the event gets the status after *this* change.
    """
    status = cast(Status, change.current)
    changed_at = to_moment(moment / 1000) if moment else None
    resolved = status == "resolved"
    event = _event(
        events.CONVERSATION_RESOLVED if resolved else events.CONVERSATION_UPDATED,
        source,
        changed_at or received_at,
        contact=contact,
        conversation=replace(conversation, status=status),
        changes={"status": change},
        version=None if moment is None else moment * 1000,
    )
    key = f"conversation:{conversation.id}:{status}:{moment or _fingerprint(body)}"
    return _draft(event, key, body, changed_at)


def _message_created(body: Reader, source: Source, received_at: datetime) -> Outcome:
    event = _message(events.MESSAGE_CREATED, body, source, received_at)
    message = cast(Message, event.message)
    key = f"message:{message.id}:created"
    return [_draft(event, key, _talk(body), message.created_at)]


def _message_updated(body: Reader, source: Source, received_at: datetime) -> Outcome:
    event = _message(events.MESSAGE_UPDATED, body, source, received_at)
    message = cast(Message, event.message)
    key = f"message:{message.id}:updated:{_fingerprint(body)}"
    # The webhook does not say when the message was changed. It is sorted behind its message.
    return [_draft(event, key, _talk(body), message.created_at)]


def _talk(body: Reader) -> Reader:
    return body.required("conversation")


def _message(name: str, body: Reader, source: Source, received_at: datetime) -> Event:
    talk = _talk(body)
    account = payload.account_id(body, source)
    conversation, contact = _conversation(talk, source, account)
    message = payload.message(body, source)
    inbox = Reader(body.mapping("inbox")).text("name")
    return _event(
        name,
        source,
        (message.created_at if name == events.MESSAGE_CREATED else None) or received_at,
        contact=contact,
        conversation=replace(conversation, inbox_name=inbox),
        message=message,
        version=_version(talk),
    )


def _conversation(
    found: Reader, source: Source, account: str | None = None
) -> tuple[Conversation, Contact | None]:
    account = account or payload.account_id(found, source)
    person = payload.person_of(found)
    return (
        payload.conversation(found, account, source),
        payload.contact(person, account, source, found) if person is not None else None,
    )


def _event(
    name: str,
    source: Source,
    occurred_at: datetime,
    *,
    contact: Contact | None,
    conversation: Conversation | None = None,
    message: Message | None = None,
    changes: dict[str, Change] | None = None,
    version: int | None = None,
) -> Event:
    return Event(
        id=0,
        name=name,
        occurred_at=occurred_at,
        source=source,
        contact=contact,
        conversation=conversation,
        message=message,
        changes=changes or {},
        version=version,
    )


def _draft(
    event: Event,
    dedupe_key: str,
    conversation: Reader | None = None,
    moment: datetime | None = None,
) -> Draft:
    """A draft in the lane of its contact, so that contact and conversations stay in order."""
    contact = event.contact.id if event.contact else None
    if contact is None and conversation is not None:
        inbox = conversation.mapping("contact_inbox").get("contact_id")
        contact = str(inbox)[:40] if isinstance(inbox, int | str) and inbox else None
    if contact is not None:
        return Draft(event, dedupe_key, f"contact:{contact}", moment)
    assert event.conversation is not None, "an event without a contact has a conversation"
    return Draft(event, dedupe_key, f"conversation:{event.conversation.id}", moment)


def _version(conversation: Reader) -> int | None:
    """The version of the state in a body, cut to milliseconds. Change lists are no more exact."""
    moment = payload.milliseconds(conversation.data.get("updated_at"))
    return None if moment is None else moment * 1000


def _fingerprint(body: Reader) -> str:
    text = json.dumps(body.data, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


_HANDLERS: dict[str, Callable[[Reader, Source, datetime], Outcome]] = {
    "contact_created": _contact_created,
    "contact_updated": _contact_updated,
    "conversation_created": _conversation_created,
    "conversation_updated": _conversation_updated,
    "conversation_status_changed": _status_changed,
    # Agent bots get these two instead. Somebody may use the hub's address for an agent bot.
    "conversation_resolved": _status_changed,
    "conversation_opened": _status_changed,
    "message_created": _message_created,
    "message_updated": _message_updated,
}
