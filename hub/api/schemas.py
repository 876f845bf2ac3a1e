"""The forms of what goes in and comes out."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from hub.access.permissions import Permission
from hub.api.fields import Flag, Number, QueryFlag, QueryNumber, Text, Whole
from hub.history.deliveries import STATES
from hub.history.replay import TOGETHER
from hub.history.standing import Cause
from hub.inbox.sources import KINDS
from hub.models import DeliveryState, HookStatus, LinkState, Role
from hub.sdk.events import EVENT_NAMES

Moment = fields.AwareDateTime
_role = validate.OneOf([role.value for role in Role])
_event = validate.OneOf(EVENT_NAMES)
_state = validate.OneOf(STATES)


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


class User(Schema):
    id = fields.Integer()
    email = fields.String()
    name = fields.String()
    administrator = fields.Boolean()
    created_at = Moment()


class Me(Schema):
    user = fields.Nested(User)
    accounts = fields.List(fields.Nested(lambda: Account()))
    scopes = fields.List(fields.String())


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


class Source(Schema):
    id = fields.Integer()
    kind = fields.String()
    name = fields.String()
    base_url = fields.String(allow_none=True)
    enabled = fields.Boolean()
    allow_unsigned = fields.Boolean()
    signing_secret_set = fields.Boolean()
    created_at = Moment()


class Sources(Schema):
    items = fields.List(fields.Nested(Source))


class SourceWithAddress(Source):
    webhook_url = fields.String()


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
    secrets_set = fields.List(fields.String())
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


class Reason(Schema):
    reason = Text(shortest=1, longest=500, required=True)


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


class EventQuery(Page):
    event = Text(validate=_event)
    conversation_id = Text(shortest=1, longest=100)
    contact_id = Text(shortest=1, longest=100)
    text = Text(shortest=1, longest=200)
    begin = Moment()
    end = Moment()


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


class ReplayQuery(Schema):
    state = Text(required=True, validate=validate.OneOf(TOGETHER))
    hook_id = QueryNumber()
    event = Text(validate=_event)
    text = Text(shortest=1, longest=200)
    begin = Moment()
    end = Moment()
    dry_run = QueryFlag(load_default=False)


class Count(Schema):
    deliveries = fields.Integer()


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
    days = Whole(lowest=1, highest=3_650, allow_none=True, load_default=None)


class TokenWithSecret(Token):
    token = fields.String(metadata={"description": "The secret; not told again."})


class AuditEntry(Schema):
    id = fields.Integer()
    at = Moment()
    actor = fields.String()
    address = fields.String()
    action = fields.String()
    subject_id = fields.Integer(allow_none=True)
    before = fields.Dict()
    after = fields.Dict()


class NewUserInvitation(Schema):
    email = Text(shortest=3, longest=254, allow_none=True, load_default=None)
    administrator = Flag(load_default=False)


class AdministratorChange(Schema):
    administrator = Flag(required=True)


class Users(Schema):
    items = fields.List(fields.Nested(User))


AuditPage = page_of(AuditEntry)
EventPage = page_of(Event)
DeliveryPage = page_of(DeliveryWithEvent)


class Problem(Schema):
    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(metadata={"description": "For each field, what is wrong with it."})
