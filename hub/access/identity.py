"""Who makes the current request, and what that person may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import g

from hub.access.permissions import OF_ROLE, Permission
from hub.models import Role, User


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, with the limits of the session or token.

    ``scopes`` and ``only_account`` limit what an API token may do; ``None`` means no limit.
    ``until`` is when the token expires.
    """

    user: User
    roles: Mapping[int, Role]
    session_id: int | None = None
    scopes: frozenset[Permission] | None = None
    only_account: int | None = None
    until: datetime | None = None

    def may(self, permission: Permission, account_id: int | None = None) -> bool:
        """Whether the user has this permission; in the account, if one is given."""
        if self.scopes is not None and permission not in self.scopes:
            return False
        if self.only_account is not None and account_id != self.only_account:
            return False
        if self.user.administrator:
            return True
        if account_id is None or permission == Permission.ADMINISTER:
            return False
        role = self.roles.get(account_id)
        # An unknown role, stored by a newer version of the hub, allows nothing.
        return role is not None and permission in OF_ROLE.get(role, ())

    def sees(self, account_id: int) -> bool:
        """Whether this person may know that the account exists."""
        if self.only_account is not None and account_id != self.only_account:
            return False
        return self.user.administrator or account_id in self.roles

    def role_in(self, account_id: int) -> Role | None:
        """The person's role in the account. An administrator counts as owner of all accounts."""
        return Role.OWNER if self.user.administrator else self.roles.get(account_id)


def current() -> Identity:
    """Who makes the request. Only for views that need somebody who is signed in."""
    identity: Identity = g.hub_identity
    return identity


def known() -> Identity | None:
    """Who makes the request; ``None`` if nobody is signed in."""
    identity: Identity | None = g.get("hub_identity")
    return identity


def acts_as(identity: Identity | None) -> None:
    """Remember for this request who makes it."""
    if identity is not None:
        g.hub_identity = identity
