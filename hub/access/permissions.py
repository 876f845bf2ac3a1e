"""What each role may do."""

from __future__ import annotations

import enum

from hub.models import Role


class Permission(enum.StrEnum):
    """What a view may need. These are also the scopes of API tokens."""

    #: See everything in the account but secrets.
    LOOK = "look"
    #: Replay, skip, release, probe, pause and resume.
    REPAIR = "repair"
    #: Connect sources, install and change hooks.
    CONFIGURE = "configure"
    #: Manage members and tokens, change the account's settings, delete the account.
    OWN = "own"
    #: What belongs to no account: users, new accounts.
    ADMINISTER = "administer"


OF_ROLE: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.LOOK}),
    Role.OPERATOR: frozenset({Permission.LOOK, Permission.REPAIR, Permission.CONFIGURE}),
    Role.OWNER: frozenset(
        {Permission.LOOK, Permission.REPAIR, Permission.CONFIGURE, Permission.OWN}
    ),
}
