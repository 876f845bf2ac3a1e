"""The forms of sources and of the requests that are held."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from hub.api.fields import Flag, Text
from hub.api.schemas.parts import Moment
from hub.inbox.sources import KINDS


class Source(Schema):
    id = fields.Integer()
    kind = fields.String()
    name = fields.String()
    base_url = fields.String(allow_none=True)
    enabled = fields.Boolean()
    allow_unsigned = fields.Boolean()
    signing_secret_set = fields.Boolean()
    detail = fields.String(metadata={"description": "Why its secrets cannot be read, or empty."})
    created_at = Moment()


class Sources(Schema):
    items = fields.List(fields.Nested(Source))


class SourceWithAddress(Source):
    webhook_url = fields.String(
        allow_none=True, metadata={"description": "null when it cannot be read."}
    )


class NewSource(Schema):
    kind = Text(required=True, validate=validate.OneOf(list(KINDS)))
    name = Text(longest=200, load_default="")
    base_url = Text(longest=500, allow_none=True, load_default=None)
    signing_secret = Text(longest=1_000, load_only=True, allow_none=True, load_default=None)
    allow_unsigned = Flag(load_default=False)


class SourceChange(Schema):
    name = Text(longest=200)
    base_url = Text(longest=500)
    signing_secret = Text(longest=1_000, load_only=True)
    allow_unsigned = Flag()
    enabled = Flag()


class HeldRequest(Schema):
    id = fields.Integer()
    source_id = fields.Integer()
    received_at = Moment()
    code = fields.String()
    reason = fields.String()
    size = fields.Integer()


class HeldRequests(Schema):
    items = fields.List(fields.Nested(HeldRequest))


class Released(Schema):
    id = fields.Integer()
    event_ids = fields.List(fields.Integer())
    outcome = fields.String()
