"""The forms of plugins and hooks."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from hub.api.fields import Number, Text, Whole
from hub.api.schemas.parts import Moment
from hub.models import HookStatus


class Plugin(Schema):
    id = fields.String()
    name = fields.String()
    version = fields.String()
    description = fields.String()
    hook_type = fields.String()
    allow_multiple_hooks = fields.Boolean()
    feature_flag = fields.String(allow_none=True)
    events = fields.List(fields.String())


class PluginWithSettings(Plugin):
    settings_schema = fields.Dict()


class BrokenPlugin(Schema):
    id = fields.String()
    distribution = fields.String()
    sentence = fields.String()


class Plugins(Schema):
    items = fields.List(fields.Nested(Plugin))
    broken = fields.List(fields.Nested(BrokenPlugin))


class Hook(Schema):
    id = fields.Integer()
    plugin_id = fields.String()
    name = fields.String()
    hook_type = fields.String()
    inbox_id = fields.String(allow_none=True)
    enabled = fields.Boolean()
    status = fields.Enum(HookStatus, by_value=True)
    status_detail = fields.String()
    settings = fields.Dict(metadata={"description": "Without secrets, which are never told."})
    secrets_set = fields.List(
        fields.String(), metadata={"description": "Empty when they cannot be read."}
    )
    learned = fields.Dict()
    concurrency = fields.Integer(allow_none=True)
    calls_per_second = fields.Float(allow_none=True)
    version = fields.Integer()
    created_at = Moment()
    updated_at = Moment()


class Hooks(Schema):
    items = fields.List(fields.Nested(Hook))


class NewHook(Schema):
    plugin_id = Text(shortest=1, longest=40, required=True)
    name = Text(longest=200, load_default="")
    inbox_id = Text(shortest=1, longest=100, allow_none=True, load_default=None)
    settings = fields.Dict(keys=Text(longest=100), required=True)


class HookChange(Schema):
    name = Text(shortest=1, longest=200)
    settings = fields.Dict(
        keys=Text(longest=100),
        metadata={"description": "What is given changes; all else stays, secrets too."},
    )
    concurrency = Whole(lowest=1, highest=256, allow_none=True)
    calls_per_second = Number(
        allow_none=True, validate=validate.Range(min=0, min_inclusive=False, max=1_000)
    )


class Step(Schema):
    name = fields.String()
    title = fields.String()
    state = fields.String()
    sentence = fields.String()


class Report(Schema):
    ok = fields.Boolean()
    sentence = fields.String()
    field = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(Step))


class HookWithReport(Schema):
    hook = fields.Nested(Hook)
    report = fields.Nested(Report)
