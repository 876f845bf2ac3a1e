"""The forms of users, members, invitations and tokens."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from hub.access.permissions import Permission
from hub.api.fields import Flag, Text, Whole
from hub.api.schemas.parts import Moment
from hub.models import Role
from hub.policy import TOKEN_DAYS

_role = validate.OneOf([role.value for role in Role])


class User(Schema):
    id = fields.Integer()
    email = fields.String()
    name = fields.String()
    administrator = fields.Boolean()
    created_at = Moment()


class Users(Schema):
    items = fields.List(fields.Nested(User))


class Member(Schema):
    user = fields.Nested(User)
    role = fields.Enum(Role, by_value=True)


class Members(Schema):
    items = fields.List(fields.Nested(Member))


class RoleChange(Schema):
    role = Text(required=True, validate=_role)


class Invitation(Schema):
    id = fields.Integer()
    email = fields.String(allow_none=True)
    role = fields.Enum(Role, by_value=True)
    expires_at = Moment()


class Invitations(Schema):
    items = fields.List(fields.Nested(Invitation))


class NewInvitation(RoleChange):
    email = Text(shortest=3, longest=254, allow_none=True, load_default=None)


class InvitationLink(Schema):
    link = fields.String(metadata={"description": "Works once; not told again."})


class NewUserInvitation(Schema):
    email = Text(shortest=3, longest=254, allow_none=True, load_default=None)
    administrator = Flag(load_default=False)


class AdministratorChange(Schema):
    administrator = Flag(required=True)


class Token(Schema):
    id = fields.Integer()
    name = fields.String()
    prefix = fields.String()
    user_id = fields.Integer()
    scopes = fields.List(fields.String())
    created_at = Moment()
    expires_at = Moment(allow_none=True)
    last_used_at = Moment(allow_none=True)


class Tokens(Schema):
    items = fields.List(fields.Nested(Token))


class NewToken(Schema):
    name = Text(shortest=1, longest=200, required=True)
    scopes = fields.List(
        Text(validate=validate.OneOf([permission.value for permission in Permission])),
        required=True,
        validate=validate.Length(min=1),
    )
    days = Whole(lowest=1, highest=TOKEN_DAYS, allow_none=True, load_default=None)


class TokenWithSecret(Token):
    token = fields.String(metadata={"description": "The secret; not told again."})
