"""The forms of accounts: their settings, how they stand, what was done in them."""

from __future__ import annotations

from marshmallow import Schema, fields

from hub.api.fields import Text
from hub.api.schemas.parts import Moment, page_of
from hub.api.schemas.people import User


class Account(Schema):
    id = fields.Integer()
    name = fields.String()
    default_region = fields.String(allow_none=True)
    features = fields.List(fields.String())
    created_at = Moment()


class NewAccount(Schema):
    name = Text(shortest=1, longest=200, required=True)
    default_region = Text(longest=2, allow_none=True, load_default=None)
    features = fields.List(Text(longest=40), load_default=list)


class AccountChange(Schema):
    name = Text(shortest=1, longest=200)
    default_region = Text(longest=2)
    features = fields.List(Text(longest=40))


class Me(Schema):
    user = fields.Nested(User)
    accounts = fields.List(fields.Nested(lambda: Account()))
    scopes = fields.List(fields.String())


class HookStanding(Schema):
    id = fields.Integer()
    name = fields.String()
    plugin = fields.String()
    enabled = fields.Boolean()
    status = fields.String()
    detail = fields.String()
    breaker = fields.String()
    open = fields.Integer()
    kept_back = fields.Integer()
    dead = fields.Integer()


class Standing(Schema):
    waiting = fields.Integer()
    running = fields.Integer()
    kept_back = fields.Integer()
    dead = fields.Integer()
    oldest_waiting_seconds = fields.Float(allow_none=True)
    workers = fields.Integer()
    hooks = fields.List(fields.Nested(HookStanding))


class AuditEntry(Schema):
    id = fields.Integer()
    at = Moment()
    actor = fields.String()
    address = fields.String()
    action = fields.String()
    subject_id = fields.Integer(allow_none=True)
    before = fields.Dict()
    after = fields.Dict()


AuditPage = page_of(AuditEntry)
