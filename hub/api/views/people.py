"""Members, invitations and tokens."""

from __future__ import annotations

from typing import Any

from hub.access import identity, invitations, members, tokens
from hub.access.permissions import Permission
from hub.api.operations import operation
from hub.api.schemas import people as schemas
from hub.api.views.accounts import ACCOUNT
from hub.models import Role

MEMBER = f"{ACCOUNT}/members/<int:member_id>"


@operation("GET", f"{ACCOUNT}/members", Permission.OWN, answer=schemas.Members)
def member_list(account_id: int) -> Any:
    """The members of the account."""
    rows = members.listed(account_id)
    return {"items": [{"user": user, "role": member.role} for member, user in rows]}


@operation("PUT", f"{MEMBER}/role", Permission.OWN, body=schemas.RoleChange, status=204)
def member_role(account_id: int, member_id: int, body: dict[str, Any]) -> None:
    """Change a member's role."""
    members.set_role(account_id, member_id, Role(body["role"]))


@operation("DELETE", MEMBER, Permission.OWN, status=204)
def member_remove(account_id: int, member_id: int) -> None:
    """Take a member out of the account."""
    members.remove(account_id, member_id)


@operation("GET", f"{ACCOUNT}/invitations", Permission.OWN, answer=schemas.Invitations)
def invitation_list(account_id: int) -> Any:
    """The open invitations."""
    return {"items": invitations.listed(account_id)}


@operation(
    "POST",
    f"{ACCOUNT}/invitations",
    Permission.OWN,
    body=schemas.NewInvitation,
    answer=schemas.InvitationLink,
    status=201,
)
def invitation_create(account_id: int, body: dict[str, Any]) -> Any:
    """Make a link by which somebody joins, once."""
    link = invitations.create(email=body["email"], account_id=account_id, role=Role(body["role"]))
    return {"link": link}


@operation("DELETE", f"{ACCOUNT}/invitations/<int:invitation_id>", Permission.OWN, status=204)
def invitation_withdraw(account_id: int, invitation_id: int) -> None:
    """End an invitation."""
    invitations.withdraw(invitation_id)


@operation("GET", f"{ACCOUNT}/tokens", Permission.OWN, answer=schemas.Tokens)
def token_list(account_id: int) -> Any:
    """The API tokens of the account."""
    return {"items": tokens.listed(account_id=account_id)}


@operation(
    "POST",
    f"{ACCOUNT}/tokens",
    Permission.OWN,
    body=schemas.NewToken,
    answer=schemas.TokenWithSecret,
    status=201,
)
def token_create(account_id: int, body: dict[str, Any]) -> Any:
    """Make a token for this account: with at most the scopes and lifetime of the present one."""
    someone = identity.current()
    tokens.require_within(someone, body["scopes"], body["days"], account_id)
    token, secret = tokens.create(
        someone.user.id, body["name"], body["scopes"], account_id=account_id, days=body["days"]
    )
    names = schemas.Token().fields
    return {**{name: getattr(token, name) for name in names}, "token": secret}


@operation("DELETE", f"{ACCOUNT}/tokens/<int:token_id>", Permission.OWN, status=204)
def token_revoke(account_id: int, token_id: int) -> None:
    """End a token."""
    tokens.revoke(token_id)
