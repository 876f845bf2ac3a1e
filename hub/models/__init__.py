"""What the hub stores. One aggregate a module; the constraints say what is legal."""

from hub.models.account import Account
from hub.models.delivery import OPEN, Attempt, AttemptOutcome, Delivery, DeliveryState
from hub.models.event import Event
from hub.models.hook import WORKING, Breaker, BreakerState, Hook, HookStatus
from hub.models.lane import Lane
from hub.models.link import IdentityClaim, Link, LinkState
from hub.models.source import QuarantinedRequest, Source

__all__ = [
    "OPEN",
    "WORKING",
    "Account",
    "Attempt",
    "AttemptOutcome",
    "Breaker",
    "BreakerState",
    "Delivery",
    "DeliveryState",
    "Event",
    "Hook",
    "HookStatus",
    "IdentityClaim",
    "Lane",
    "Link",
    "LinkState",
    "QuarantinedRequest",
    "Source",
]
