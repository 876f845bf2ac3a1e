"""One of everything that a URL can name, in an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from werkzeug.routing import Rule

from hub.access import invitations, tokens
from hub.database import in_transaction, reading
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused, Request
from hub.models import Delivery, Event, Invitation, QuarantinedRequest, Role, User
from tests.support.crm import World


@dataclass(frozen=True)
class Things:
    """One of everything that a URL can name."""

    account_id: int
    hook_id: int
    source_id: int
    event_id: int
    delivery_id: int
    request_id: int
    token_id: int
    invitation_id: int
    member_id: int

    def values(self, rule: Rule) -> dict[str, Any]:
        further = {"plugin_id": "crm", "user_id": self.member_id, "session_id": 1}
        return {name: {**vars(self), **further}[name] for name in rule.arguments}


def things_of(world: World, email: str) -> Things:
    world.send("conversation.created", conversation="7")
    world.work()
    request = Request({"content-type": "text/plain"}, b"{", datetime.now(UTC))
    refusal = Refused(400, "not_json", "It is not JSON.")
    in_transaction(lambda s: quarantine.hold(s, world.source, request, refusal))
    with reading() as session:
        user = session.query(User).filter_by(email=email).one()
        token, _ = tokens.create(user.id, "test", ["look"], account_id=world.account.id)
        invitations.create(account_id=world.account.id, role=Role.VIEWER)
    with reading() as session:
        of_source = {"source_id": world.source.id}
        return Things(
            world.account.id,
            world.hook.id,
            world.source.id,
            session.query(Event).filter_by(**of_source).first().id,
            session.query(Delivery).filter_by(hook_id=world.hook.id).first().id,
            session.query(QuarantinedRequest).filter_by(**of_source).first().id,
            token.id,
            session.query(Invitation).filter_by(account_id=world.account.id).first().id,
            user.id,
        )
