"""What the hub stores, one aggregate in each module. Constraints say which rows are legal.

A module is imported when one of its names is first used, because a command that only shows figures
needs half of them. ``load`` imports all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.models.account import Account
    from hub.models.audit import AuditEntry
    from hub.models.delivery import OPEN, Attempt, AttemptOutcome, Delivery, DeliveryState, KeptBack
    from hub.models.event import Event
    from hub.models.hook import WORKING, Breaker, BreakerState, Hook, HookStatus
    from hub.models.lane import Lane
    from hub.models.link import IdentityClaim, Link, LinkState
    from hub.models.source import QuarantinedRequest, Source
    from hub.models.state import PluginState
    from hub.models.user import (
        ApiToken,
        Invitation,
        Member,
        Role,
        SignInFailures,
        User,
        UserSession,
    )

__all__ = [
    "OPEN",
    "WORKING",
    "Account",
    "ApiToken",
    "Attempt",
    "AttemptOutcome",
    "AuditEntry",
    "Breaker",
    "BreakerState",
    "Delivery",
    "DeliveryState",
    "Event",
    "Hook",
    "HookStatus",
    "IdentityClaim",
    "Invitation",
    "KeptBack",
    "Lane",
    "Link",
    "LinkState",
    "Member",
    "PluginState",
    "QuarantinedRequest",
    "Role",
    "SignInFailures",
    "Source",
    "User",
    "UserSession",
]

#: The names of each module.
_MODULES = {
    "account": ("Account",),
    "audit": ("AuditEntry",),
    "delivery": (
        "OPEN",
        "Attempt",
        "AttemptOutcome",
        "Delivery",
        "DeliveryState",
        "KeptBack",
    ),
    "event": ("Event",),
    "hook": (
        "WORKING",
        "Breaker",
        "BreakerState",
        "Hook",
        "HookStatus",
    ),
    "lane": ("Lane",),
    "link": (
        "IdentityClaim",
        "Link",
        "LinkState",
    ),
    "source": (
        "QuarantinedRequest",
        "Source",
    ),
    "state": ("PluginState",),
    "user": (
        "ApiToken",
        "Invitation",
        "Member",
        "Role",
        "SignInFailures",
        "User",
        "UserSession",
    ),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def load() -> None:
    """Import all modules. The schema is incomplete and rows cannot be written before that."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}")


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    return found
