"""Users of the whole hub: for administrators."""

from __future__ import annotations

from typing import Any

from hub.access import invitations, users
from hub.access.permissions import Permission
from hub.api.operations import operation
from hub.api.schemas import people as schemas

USER = "/users/<int:user_id>"


@operation("GET", "/users", Permission.ADMINISTER, answer=schemas.Users)
def user_list() -> Any:
    """All users of this hub."""
    return {"items": users.listed()}


@operation(
    "POST",
    "/users/invitations",
    Permission.ADMINISTER,
    body=schemas.NewUserInvitation,
    answer=schemas.InvitationLink,
    status=201,
)
def user_invite(body: dict[str, Any]) -> Any:
    """Make a link by which somebody signs up, once."""
    return {"link": invitations.create(**body)}


@operation(
    "PUT",
    f"{USER}/administrator",
    Permission.ADMINISTER,
    body=schemas.AdministratorChange,
    status=204,
)
def user_administrator(user_id: int, body: dict[str, Any]) -> None:
    """Make somebody an administrator, or no longer."""
    users.set_administrator(user_id, body["administrator"])


@operation(
    "POST",
    f"{USER}/password",
    Permission.ADMINISTER,
    answer=schemas.InvitationLink,
    status=201,
)
def user_password(user_id: int) -> Any:
    """Make a link by which a user sets a new password, once."""
    return {"link": invitations.new_password(user_id)}


@operation("DELETE", USER, Permission.ADMINISTER, status=204)
def user_remove(user_id: int) -> None:
    """Delete a user; sessions and tokens end."""
    users.remove(user_id)
