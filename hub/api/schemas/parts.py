"""What many forms have: moments, the pages of a list, a reason."""

from __future__ import annotations

from marshmallow import Schema, fields

from hub.api.fields import QueryNumber, Text

Moment = fields.AwareDateTime


class Page(Schema):
    """Which part of a list."""

    cursor = QueryNumber(metadata={"description": "``next`` of the page before."})
    limit = QueryNumber(highest=200, load_default=50)


def page_of(item: type[Schema]) -> type[Schema]:
    """The form of a page of these."""
    made: type[Schema] = type(
        f"{item.__name__}Page",
        (Schema,),
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.Integer(
                allow_none=True, metadata={"description": "Cursor of the next page, if any."}
            ),
        },
    )
    return made


class Reason(Schema):
    reason = Text(shortest=1, longest=500, required=True)


class Count(Schema):
    deliveries = fields.Integer()
