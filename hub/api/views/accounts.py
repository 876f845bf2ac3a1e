"""Who asks, accounts, and how they stand."""

from __future__ import annotations

from typing import Any

from hub import audit
from hub.access import (
    identity,
    members,
)
from hub.access.gate import Open
from hub.access.permissions import Permission
from hub.accounts import accounts
from hub.api.operations import operation
from hub.api.schemas import accounts as schemas
from hub.api.schemas import parts
from hub.history import status
from hub.models import Role

ACCOUNT = "/accounts/<int:account_id>"


@operation("GET", "/me", Open.TO_USERS, answer=schemas.Me)
def me() -> Any:
    """The user of the token, and what it reaches."""
    someone = identity.current()
    mine = members.accounts_of(someone.user)
    return {
        "user": someone.user,
        "accounts": [one for one in mine if someone.sees(one.id)],
        "scopes": sorted(someone.scopes or ()),
    }


@operation(
    "POST",
    "/accounts",
    Permission.ADMINISTER,
    body=schemas.NewAccount,
    answer=schemas.Account,
    status=201,
)
def account_create(body: dict[str, Any]) -> Any:
    """Make an account; the token's user owns it."""
    account = accounts.create(body["name"], body["default_region"], body["features"])
    members.add(account.id, identity.current().user.id, Role.OWNER)
    return account


@operation("GET", ACCOUNT, Permission.LOOK, answer=schemas.Account)
def account_show(account_id: int) -> Any:
    """An account."""
    return accounts.find(account_id)


@operation("PATCH", ACCOUNT, Permission.OWN, body=schemas.AccountChange, answer=schemas.Account)
def account_update(account_id: int, body: dict[str, Any]) -> Any:
    """Change name, country or features."""
    return accounts.update(account_id, **body)


@operation("DELETE", ACCOUNT, Permission.OWN, status=204)
def account_delete(account_id: int) -> None:
    """Delete an account that has no hooks any more."""
    accounts.remove(account_id)


@operation("GET", f"{ACCOUNT}/status", Permission.LOOK, answer=schemas.Standing)
def account_status(account_id: int) -> Any:
    """What waits, what failed, and how each hook does."""
    return status.overview(account_id)


@operation(
    "GET",
    f"{ACCOUNT}/audit",
    Permission.OWN,
    query=parts.Page,
    answer=schemas.AuditPage,
)
def audit_list(account_id: int, query: dict[str, Any]) -> Any:
    """Who changed what, newest first."""
    limit = query["limit"]
    entries = audit.listed(account_id, before=query.get("cursor"), limit=limit)
    return {"items": entries, "next": entries[-1].id if len(entries) == limit else None}
