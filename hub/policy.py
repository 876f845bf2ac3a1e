"""Numbers that an operator may set: when to try again, when to give up, how long a
session lives, what a password hash costs.

Each number can be set, times in seconds: ``HUB_POLICY="retry.longest=600 lease.settle=60"``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

#: Threads that compute one password hash.
PARALLELISM = 4


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The cost of Argon2id for new passwords. A stored hash holds the cost it was made with.

    The defaults are the second recommended option of RFC 9106, section 4, for machines with little
    memory.

    :raises ValueError: a cost is below the minimum of Argon2 (section 3.1).
    """

    #: How often the memory is passed over.
    time_cost: int = 3
    #: In KiB.
    memory_cost: int = 65_536

    def __post_init__(self) -> None:
        if self.time_cost < 1:
            raise ValueError("password.time_cost must be 1 or more")
        if self.memory_cost < 8 * PARALLELISM:
            raise ValueError(f"password.memory_cost must be {8 * PARALLELISM} KiB or more")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter, for days.

    The jitter keeps the lanes of a hook from coming back all at once. The patience is long, so that
    nothing is given up while a CRM is down for a weekend.
    """

    first: float = 2.0
    longest: float = 3_600.0
    patience: timedelta = timedelta(hours=72)
    #: How often a delivery is tried that meets a bug of its plugin, or kills its worker.
    bugs: int = 5

    def delay(self, failures: int, rng: random.Random) -> float:
        """Seconds until the next try, after this many failures in a row (1 or more)."""
        ceiling = min(self.longest, self.first * 2 ** min(failures - 1, 30))
        return rng.uniform(min(self.first / 2, ceiling), ceiling)

    def is_exhausted(self, failing_since: datetime, now: datetime) -> bool:
        """Whether a delivery has failed for so long that a person must look at it."""
        return now - failing_since >= self.patience


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """After how many failures a hook's calls are stopped, and how often a probe is let through."""

    failures: int = 5
    first_probe: float = 10.0
    longest_probe: float = 300.0

    def probe_after(self, probes: int) -> float:
        """Seconds until the next probe, after this many failed ones."""
        return min(self.longest_probe, self.first_probe * 2.0 ** min(probes, 10))


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How long a worker may be silent, in seconds."""

    lease: float = 30.0
    #: A lease is renewed when less than this is left.
    renew_below: float = 20.0
    #: For how long the server may still be working on a create that was never answered.
    settle: float = 30.0
    #: How long a lane waits for another one that works on the same person.
    identity_wait: float = 10.0


@dataclass(frozen=True, slots=True)
class OrderPolicy:
    """How long an event waits for those that it may have overtaken on its way, in seconds."""

    #: Counted from when the event happened, by its source's clock. On a running Chatwoot, webhooks
    #: overtook each other by up to 0.9 seconds. 0 keeps the order of arrival.
    patience: float = 1.0


@dataclass(frozen=True, slots=True)
class WorkerPolicy:
    """How often a worker process reports and checks, in seconds."""

    #: Between two signs of life. With each the worker renews its leases.
    beat: float = 4.0
    #: Between two checks whether Redis or the database is back.
    wait: float = 1.0


@dataclass(frozen=True, slots=True)
class HistoryPolicy:
    """How long finished deliveries are kept."""

    #: A quarter: time to look into a complaint, and to compare with the quarter before.
    keep: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class LifetimePolicy:
    """How long what lets a person in is good, and what is kept for him."""

    #: A session of the dashboard ends when it was not used for so long, and at last so long after
    #: its beginning.
    idle: timedelta = timedelta(days=14)
    session: timedelta = timedelta(days=90)
    #: A link that works once: an invitation, or a new password.
    link: timedelta = timedelta(days=3)
    #: A browser stays known for so long without a sign-in.
    device: timedelta = timedelta(days=365)
    #: A page with a form can be sent for so long.
    form: timedelta = timedelta(hours=12)
    #: Settings that were entered, and could not be saved yet.
    draft: timedelta = timedelta(minutes=30)


#: Days that an API token may be made for at most. It cannot be set: the API's document tells it.
TOKEN_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of a hub."""

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    lease: LeasePolicy = field(default_factory=LeasePolicy)
    order: OrderPolicy = field(default_factory=OrderPolicy)
    worker: WorkerPolicy = field(default_factory=WorkerPolicy)
    history: HistoryPolicy = field(default_factory=HistoryPolicy)
    lifetime: LifetimePolicy = field(default_factory=LifetimePolicy)
    password: PasswordPolicy = field(default_factory=PasswordPolicy)

    @classmethod
    def from_text(cls, text: str) -> Policies:
        """The defaults with some numbers replaced: ``"retry.first=1 lease.lease=10"``.

        :raises ValueError: a name is unknown, or its value is not a number.
        """
        policies = cls()
        for assignment in text.split():
            name, _, number = assignment.partition("=")
            part, _, setting = name.partition(".")
            policy = getattr(policies, part, None)
            before = getattr(policy, setting, None)
            if policy is None or not isinstance(before, int | float | timedelta):
                raise ValueError(f"there is no {name!r}")
            value: object
            if isinstance(before, timedelta):
                value = timedelta(seconds=float(number))
            else:
                value = type(before)(number)
            policies = replace(policies, **{part: replace(policy, **{setting: value})})
        return policies
