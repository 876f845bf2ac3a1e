"""What the hub stores. One aggregate a module; the constraints say what is legal."""

from hub.models.account import Account
from hub.models.audit import AuditEntry
from hub.models.delivery import OPEN, Attempt, AttemptOutcome, Delivery, DeliveryState, KeptBack
from hub.models.event import Event
from hub.models.hook import WORKING, Breaker, BreakerState, Hook, HookStatus
from hub.models.lane import Lane
from hub.models.link import IdentityClaim, Link, LinkState
from hub.models.source import QuarantinedRequest, Source
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
    "QuarantinedRequest",
    "Role",
    "SignInFailures",
    "Source",
    "User",
    "UserSession",
]
