"""The forms of events, deliveries and links."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from hub.api.fields import QueryFlag, QueryNumber, Text
from hub.api.schemas.parts import Moment, Page, page_of
from hub.history.deliveries import STATES
from hub.history.replay import TOGETHER
from hub.history.standing import Cause
from hub.models import DeliveryState, LinkState
from hub.sdk.events import EVENT_NAMES

_event = validate.OneOf(EVENT_NAMES)
_state = validate.OneOf(STATES)


class Event(Schema):
    id = fields.Integer()
    source_id = fields.Integer()
    name = fields.String()
    contact_id = fields.String(allow_none=True)
    conversation_id = fields.String(allow_none=True)
    occurred_at = Moment()
    received_at = Moment()
    data = fields.Dict()


class EventWithPayload(Event):
    payload = fields.Raw(metadata={"description": "The webhook as it came."})


class Filter(Schema):
    """Which events, and the deliveries of which events."""

    event = Text(validate=_event)
    conversation_id = Text(shortest=1, longest=100)
    contact_id = Text(shortest=1, longest=100)
    text = Text(shortest=1, longest=200)
    begin = Moment()
    end = Moment()


class EventQuery(Filter, Page):
    """A part of the events that a filter finds."""


class DeliveryStanding(Schema):
    """What a delivery that is still owed waits for; ``why`` is a further sentence."""

    cause = fields.Enum(Cause, by_value=True)
    why = fields.String()
    since = Moment()
    next_try = Moment()
    until = Moment()
    first = fields.Integer()
    plugin = fields.String()


class Delivery(Schema):
    id = fields.Integer()
    event_id = fields.Integer()
    hook_id = fields.Integer()
    state = fields.Enum(DeliveryState, by_value=True)
    reason = fields.String()
    url = fields.String(allow_none=True)
    attempts = fields.Integer()
    due_at = Moment(allow_none=True)
    kept_until = Moment(
        allow_none=True,
        metadata={"description": "Until when it is kept back, since nobody is known yet."},
    )
    created_at = Moment()
    finished_at = Moment(allow_none=True)
    standing = fields.Nested(DeliveryStanding)


class DeliveryWithEvent(Delivery):
    event = fields.Nested(Event)


class Attempt(Schema):
    number = fields.Integer()
    outcome = fields.String()
    worker = fields.String()
    detail = fields.String()
    started_at = Moment()
    finished_at = Moment(allow_none=True)
    calls = fields.List(fields.Dict())
    batch_of = fields.Integer(allow_none=True)


class DeliveryStory(Delivery):
    event = fields.Nested(EventWithPayload)
    tries = fields.List(fields.Nested(Attempt))


class DeliveryQuery(EventQuery):
    hook_id = QueryNumber()
    state = Text(validate=_state)


class ReplayQuery(Filter):
    state = Text(required=True, validate=validate.OneOf(TOGETHER))
    hook_id = QueryNumber()
    dry_run = QueryFlag(load_default=False)


class Link(Schema):
    id = fields.Integer()
    hook_id = fields.Integer()
    kind = fields.String()
    local_id = fields.String()
    state = fields.Enum(LinkState, by_value=True)
    remote_id = fields.String(allow_none=True)
    url = fields.String(allow_none=True)
    adopted = fields.Boolean()
    gone_reason = fields.String(allow_none=True)


class Links(Schema):
    items = fields.List(fields.Nested(Link))


class LinkQuery(Schema):
    contact_id = Text(shortest=1, longest=100)
    conversation_id = Text(shortest=1, longest=100)


EventPage = page_of(Event)
DeliveryPage = page_of(DeliveryWithEvent)
