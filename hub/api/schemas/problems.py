"""The form of a refusal."""

from __future__ import annotations

from marshmallow import Schema, fields


class Problem(Schema):
    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(metadata={"description": "For each field, what is wrong with it."})
