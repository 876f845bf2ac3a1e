"""Who makes the present request, and what that person may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import g

from hub.access.permissions import OF_ROLE, Permission
from hub.models import Role, User


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, as far as the session or token reaches.

    ``scopes`` and ``only_account`` narrow what an API token may do; ``None`` narrows nothing.
    ``until`` is when the token ends.
    """

    user: User
    roles: Mapping[int, Role]
    session_id: int | None = None
    scopes: frozenset[Permission] | None = None
    only_account: int | None = None
    until: datetime | None = None

    def may(self, permission: Permission, account_id: int | None = None) -> bool:
        """Whether this is allowed, in the account if one is named."""
        if self.scopes is not None and permission not in self.scopes:
            return False
        if self.only_account is not None and account_id != self.only_account:
            return False
        if self.user.administrator:
            return True
        if account_id is None or permission == Permission.ADMINISTER:
            return False
        role = self.roles.get(account_id)
        # A role of a newer version allows nothing here.
        return role is not None and permission in OF_ROLE.get(role, ())

    def sees(self, account_id: int) -> bool:
        """Whether this person may know that the account exists."""
        if self.only_account is not None and account_id != self.only_account:
            return False
        return self.user.administrator or account_id in self.roles

    def role_in(self, account_id: int) -> Role | None:
        """The role that counts in the account; an administrator owns every one."""
        return Role.OWNER if self.user.administrator else self.roles.get(account_id)


def current() -> Identity:
    """Who is signed in. Only for views that the gate admits with a permission."""
    identity: Identity = g.hub_identity
    return identity


def known() -> Identity | None:
    """Who is signed in, if anybody is."""
    identity: Identity | None = g.get("hub_identity")
    return identity


def acts_as(identity: Identity | None) -> None:
    """From here to its end, the request is this person's."""
    if identity is not None:
        g.hub_identity = identity
