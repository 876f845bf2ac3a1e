"""An installation whose worker processes are real, and that a test moves step by step."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from hub_glpi.simulator import GlpiSimulator
from sqlalchemy import select

import migrations
from hub import services
from hub.accounts import accounts, hooks, sources
from hub.app import create_app
from hub.config import Config
from hub.database import db, in_transaction, reading
from hub.delivery.sweeper import Sweeper
from hub.history.leftovers import is_settled
from hub.inbox.accept import Submission, accept
from hub.inbox.order import ARRIVAL, Place
from hub.inbox.sources import Draft
from hub.kit import (
    processes,
    warm,
)
from hub.models import (
    Account,
    Attempt,
    AttemptOutcome,
    Delivery,
    DeliveryState,
    Hook,
    Lane,
    Source,
)
from hub.outbound.guard import THIS_MACHINE
from hub.queue.announce import Announcer
from hub.sdk import Contact, Event
from tests.support.glpi import settings
from tests.support.story import Story

#: Short enough for a test; a worker still beats before its lease is over.
POLICY = (
    "lease.lease=6 lease.renew_below=5 lease.settle=1 retry.first=0.1 retry.longest=0.5 "
    "worker.beat=0.5 worker.wait=0.1"
)
#: Seconds after which what must come counts as lost; a busy machine may need many.
PATIENCE = 300.0


@dataclass(frozen=True)
class Tenant:
    """An account with its source and its hook."""

    account: Account
    source: Source
    hook: Hook


class Fleet:
    """A hub with GLPI behind it. The test sweeps; workers are started one by one."""

    def __init__(self, folder: Path, redis_url: str, **environment: str) -> None:
        self._environment = {
            "HUB_DATA_DIR": str(folder),
            "HUB_REDIS_URL": redis_url,
            "HUB_POLICY": POLICY,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
            **environment,
        }
        self.app = create_app(Config.from_environment(self._environment), warm.registry())
        self.redis = services.of(self.app).redis
        self.glpi = GlpiSimulator()
        self._workers: list[ForkServerProcess] = []
        self._numbers = itertools.count(1)

    @contextmanager
    def running(self) -> Iterator[Fleet]:
        """The installation, entered, with one hook."""
        self.redis.flushall()
        with self.glpi, self.app.app_context():
            try:
                migrations.upgrade(db.engine)
                self.tenant = self.add(self.glpi)
                self.sweeper = Sweeper(self.app)
                yield self
            finally:
                for worker in self._workers:
                    processes.stop(worker)
                db.engine.dispose()
                self.redis.close()

    def add(self, glpi: GlpiSimulator) -> Tenant:
        """One more account, with a hook of this GLPI."""
        account = accounts.create(f"Account of port {glpi.port}", "DE")
        hook, report = hooks.create(account, "glpi", settings(glpi.url))
        assert report.ok, report.sentence
        return Tenant(account, sources.create(account, "events"), hook)

    def start_worker(self, threads: int = 4) -> ForkServerProcess:
        worker = processes.start_worker(self._environment, threads)
        self._workers.append(worker)
        return worker

    def talk(
        self,
        contact: int,
        messages: int,
        *,
        conversation: int | None = None,
        tenant: Tenant | None = None,
        settled_at: datetime | None = None,
    ) -> None:
        """A customer's conversation with so many messages, "Message 1." first."""
        person = Contact(str(contact), f"Person {contact}", f"person{contact}@example.com")
        story = Story(person, str(conversation or 10_000 + contact))
        told = [story.says(f"Message {number}.") for number in range(1, messages + 1)]
        self.accept(told, tenant or self.tenant, Place(settled_at=settled_at))

    def accept(self, events: Sequence[Event], tenant: Tenant, place: Place = ARRIVAL) -> None:
        """Store what happened, and call workers."""
        submissions = [
            Submission(
                tenant.account.id,
                tenant.source.id,
                [
                    Draft(
                        event=event,
                        dedupe_key=f"{next(self._numbers)}",
                        lane_key=f"contact:{event.contact.id if event.contact else ''}",
                    )
                ],
                {},
                None,
                datetime.now(UTC),
                [place],
            )
            for event in events
        ]
        accepted = in_transaction(lambda session: accept(session, submissions, warm.registry()))
        Announcer(self.redis).try_push(accepted.ready)

    def wait_until(self, reached: Callable[[], Any], what: str) -> None:
        """Sweep until something is so."""
        give_up = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < give_up, f"{what}: {self.states()}"
            self.sweeper.sweep()
            time.sleep(0.02)

    def wait(self) -> None:
        """Sweep until everything is delivered."""
        self.wait_until(is_settled, "not delivered in time")

    def calls(self, method: str = "POST", path: str = "ITILFollowup|Ticket") -> int:
        """How many calls of a kind have reached GLPI."""
        return len(self.glpi.requests(method, path))

    def states(self) -> Counter[DeliveryState]:
        with reading() as session:
            return Counter(session.scalars(select(Delivery.state)))

    def outcomes(self) -> Counter[AttemptOutcome]:
        with reading() as session:
            return Counter(session.scalars(select(Attempt.outcome)))

    def owners(self) -> list[str]:
        with reading() as session:
            return list(session.scalars(select(Lane.owner).where(Lane.owner.is_not(None))))

    def said(self) -> list[list[int]]:
        """The messages of each ticket in GLPI, in their order."""
        return [
            [
                int(number)
                for text in (
                    ticket["content"],
                    *(row["content"] for row in self.glpi.followups(ticket["id"])),
                )
                for number in re.findall(r"Message (\d+)\.", text)
            ]
            for ticket in self.glpi.tickets()
        ]
