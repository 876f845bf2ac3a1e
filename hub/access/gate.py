"""The gate. Each view of the dashboard and the API says what it needs, and the gate checks it.

A view that says nothing is not served. Things that a URL names (a hook, a delivery, ...) must
belong to the account that the URL names. Otherwise the answer is 'not found'.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, current_app, request
from sqlalchemy import Select, select
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

from hub import audit
from hub.access import identity
from hub.access.identity import Identity
from hub.access.permissions import Permission
from hub.audit import Actor
from hub.database import reading
from hub.models import (
    Account,
    ApiToken,
    Delivery,
    Event,
    Hook,
    Invitation,
    Link,
    Member,
    QuarantinedRequest,
    Source,
)

View = TypeVar("View", bound=Callable[..., Any])
Identify = Callable[[], Identity | None]


class Open(enum.Enum):
    """What a view needs if it needs no permission."""

    #: Nothing: pages for people who are not signed in.
    TO_ALL = enum.auto()
    #: Anybody who is signed in.
    TO_USERS = enum.auto()


#: The largest id that the database can hold.
LARGEST_ID = 2**63 - 1

#: For each name in a URL: how to find the account to which the named thing belongs.
_ACCOUNT_OF: dict[str, Callable[[int], Select[Any]]] = {
    "account_id": lambda key: select(Account.id).where(Account.id == key),
    "hook_id": lambda key: select(Hook.account_id).where(Hook.id == key),
    "source_id": lambda key: select(Source.account_id).where(Source.id == key),
    "event_id": lambda key: select(Event.account_id).where(Event.id == key),
    "delivery_id": lambda key: (
        select(Hook.account_id)
        .join(Delivery, Delivery.hook_id == Hook.id)
        .where(Delivery.id == key)
    ),
    "request_id": lambda key: (
        select(Source.account_id)
        .join(QuarantinedRequest, QuarantinedRequest.source_id == Source.id)
        .where(QuarantinedRequest.id == key)
    ),
    "link_id": lambda key: (
        select(Hook.account_id).join(Link, Link.hook_id == Hook.id).where(Link.id == key)
    ),
    "token_id": lambda key: select(ApiToken.account_id).where(ApiToken.id == key),
    "invitation_id": lambda key: select(Invitation.account_id).where(Invitation.id == key),
}
#: Names in URLs that are checked elsewhere, or that name nothing of an account.
_OTHER_NAMES = frozenset({"member_id", "user_id", "session_id", "plugin_id", "token", "filename"})


def needs(permission: Permission | Open) -> Callable[[View], View]:
    """Decorates a view with what it needs."""

    def mark(view: View) -> View:
        view.hub_needs = permission  # type: ignore[attr-defined]
        return view

    return mark


def need_of(endpoint: str) -> Permission | Open:
    """What the view of an endpoint needs.

    :raises LookupError: the view does not say it.
    """
    need: Permission | Open | None = getattr(
        current_app.view_functions[endpoint], "hub_needs", None
    )
    if need is None:
        raise LookupError(f"The view {endpoint} does not say what it needs.")
    return need


def guard(blueprint: Blueprint, identify: Identify) -> None:
    """Put the gate in front of all views of a blueprint. ``identify`` says who makes a request."""

    @blueprint.before_request
    def admit() -> None:
        assert request.endpoint is not None
        someone = identify()
        identity.acts_as(someone)
        if someone is not None:
            user = someone.user
            audit.act_as(
                Actor(
                    f"{user.name} <{user.email}>",
                    user.id,
                    request.remote_addr or "",
                    opens_doors=someone.may(Permission.ADMINISTER),
                )
            )
        check(need_of(request.endpoint), someone, request.view_args or {})

    @blueprint.teardown_request
    def leave(_: BaseException | None) -> None:
        audit.act_as(None)


def check(need: Permission | Open, someone: Identity | None, names: dict[str, Any]) -> None:
    """Check whether a request is allowed.

    :raises Unauthorized: nobody is signed in.
    :raises NotFound: the named thing does not exist, or the person may not know of it.
    :raises Forbidden: the person may see the account, but may not do this.
    """
    if any(isinstance(key, int) and key > LARGEST_ID for key in names.values()):
        raise NotFound
    if need is Open.TO_ALL:
        return
    if someone is None:
        raise Unauthorized
    if need is Open.TO_USERS:
        return
    assert isinstance(need, Permission)
    account_id = names.get("account_id")
    if account_id is not None:
        if not someone.sees(account_id):
            raise NotFound
        _require_belonging(account_id, names)
    if not someone.may(need, account_id):
        raise Forbidden


def _require_belonging(account_id: int, names: dict[str, Any]) -> None:
    with reading() as session:
        for name, key in names.items():
            if name in _ACCOUNT_OF:
                if session.scalar(_ACCOUNT_OF[name](key)) != account_id:
                    raise NotFound
            elif name == "member_id":
                if session.get(Member, (account_id, key)) is None:
                    raise NotFound
            elif name not in _OTHER_NAMES:
                raise LookupError(f"The gate does not know what {name} in a URL names.")
