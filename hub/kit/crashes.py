"""The crash harness: a worker process is killed at every boundary in turn, and nothing may change.

A flow is a list of events. It is delivered once undisturbed by a real worker process to a real
(simulated) CRM, which counts its boundaries: before and after each HTTP call and each commit. Then
it is delivered again for every one of them, with a SIGKILL there and a new worker after it. What
the CRM holds at the end must be what it held after the undisturbed run: none lost, none doubled.

The worker runs with its own policies, since nobody wants to wait for half a minute in each run.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from sqlalchemy import select

import migrations
from hub import services
from hub.accounts import accounts, hooks, sources
from hub.app import create_app
from hub.config import Config
from hub.database import db, in_transaction, reading
from hub.delivery.sweeper import Sweeper
from hub.fleet.departures import end_leases
from hub.history.leftovers import is_settled
from hub.inbox.accept import Submission, accept
from hub.inbox.sources import Draft
from hub.kit import (
    processes,
    warm,
)
from hub.kit.snapshots import Snapshot
from hub.models import Delivery
from hub.outbound.guard import THIS_MACHINE
from hub.sdk.events import Event, Source
from hub.sdk.testing.simulator import Simulator

#: Short enough for a test, long enough for a call to end that its worker did not wait for.
POLICY = "lease.settle=0.2 retry.first=0.1 retry.longest=0.5 breaker.first_probe=0.1"
#: Seconds after which a run that does not end counts as lost. Nothing takes so long, but a machine
#: with much else to do may be slow.
PATIENCE = 600.0
#: Seconds from look to look, and looks from one round of the sweeper to the next.
LOOK = 0.05
ROUND = 5
#: Seconds after which a worker that should have died, and has nothing left to do, has survived:
#: what depends on time may make a run shorter by a boundary.
SURVIVED = 2.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A plugin under test.

    ``settings`` are made from the simulator's URL; ``end_state`` makes of the simulator's state
    (``Simulator.state``) what two runs must share, without ids and moments. ``simulator`` must be
    a function or class that another process can import.
    """

    plugin_id: str
    simulator: Callable[[], Simulator]
    settings: Callable[[str], Mapping[str, Any]]
    end_state: Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Survived:
    """The boundaries that a flow passed, at each of which a worker has died without harm."""

    boundaries: Sequence[str]
    end_state: Any


def spread(count: int, most: int) -> list[int]:
    """At most so many of the numbers from 1 to ``count``, evenly spread, with both ends."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})


class CrashHarness:
    """An installation with one hook, and a simulator in a process of its own.

    ``environment`` names the database (none: SQLite in the folder) and must name a Redis server,
    which is emptied.
    """

    def __init__(self, subject: Subject, folder: Path, environment: Mapping[str, str]) -> None:
        self._subject = subject
        self._environment = {
            "HUB_DATA_DIR": str(folder),
            "HUB_POLICY": POLICY,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
            **environment,
        }
        self._folder = folder
        self._app = create_app(Config.from_environment(self._environment), warm.registry())
        self._simulator: ForkServerProcess | None = None
        self._workers: list[ForkServerProcess] = []

    def __enter__(self) -> Self:
        self._simulator, self._url = processes.start_simulator(self._subject.simulator)
        try:
            self._install()
        except BaseException:
            self.close()
            raise
        return self

    def _install(self) -> None:
        with self._app.app_context():
            migrations.upgrade(db.engine)
            self._account = accounts.create("Acme", "DE")
            self._source = sources.create(self._account, "events")
            _, report = hooks.create(
                self._account, self._subject.plugin_id, self._subject.settings(self._url)
            )
            assert report.ok, report.sentence
        self._installed = Snapshot(self._app, "installed")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop all processes and let go of the database."""
        self._stop_workers()
        if self._simulator is not None:
            processes.stop(self._simulator)
        with self._app.app_context():
            db.engine.dispose()
        services.of(self._app).redis.close()

    def survive(
        self,
        events: Sequence[Event],
        *,
        only: Callable[[str], bool] = lambda _: True,
        most: int | None = None,
    ) -> Survived:
        """Deliver the events with a death at every boundary (whose name ``only`` accepts).

        ``most`` bounds the number of deaths, which are then evenly spread.

        :raises AssertionError: a death changed the end, which is told with its boundary.
        """
        self._installed.restore()
        with self._app.app_context():
            self._accept(events)
        owed = Snapshot(self._app, "owed")
        names = self._folder / "boundaries"
        names.unlink(missing_ok=True)
        expected = self._deliver(owed, f"{names}:0")
        boundaries = names.read_text().splitlines()
        chosen = [number for number, name in enumerate(boundaries, 1) if only(name)]
        if most is not None:
            chosen = [chosen[place - 1] for place in spread(len(chosen), most)]
        for number in chosen:
            name = boundaries[number - 1]
            found = self._deliver(owed, f"{names}:{number}", dies=True)
            assert found == expected, (
                f"A death at boundary {number} ({name}) changed the end.\n"
                f"Undisturbed: {expected}\nNow: {found}"
            )
        return Survived(boundaries, expected[0])

    def _accept(self, events: Iterable[Event]) -> None:
        source = Source(self._source.id, "events")
        drafts = [
            Draft(
                event=replace(event, source=source),
                dedupe_key=str(number),
                lane_key=f"contact:{event.contact.id if event.contact else ''}",
            )
            for number, event in enumerate(events, 1)
        ]
        submissions = [
            Submission(self._account.id, self._source.id, [draft], {}, None, datetime.now(UTC))
            for draft in drafts
        ]
        in_transaction(lambda session: accept(session, submissions, warm.registry()))

    def _deliver(self, owed: Snapshot, crashpoint: str, *, dies: bool = False) -> Any:
        """One run from the same beginning; answers the end state and how each delivery ended."""
        requests.post(f"{self._url}/__simulator__/reset", timeout=120).raise_for_status()
        owed.restore()
        services.of(self._app).redis.flushall()
        with self._app.app_context():
            sweeper = Sweeper(self._app)
            worker = self._start(crashpoint)
            settled_at = time.monotonic()
            give_up = settled_at + PATIENCE
            for look in itertools.count():
                if look % ROUND == 0:
                    sweeper.sweep()
                if not worker.is_alive():
                    assert dies, f"the worker ended by itself ({worker.exitcode})"
                    # What the supervisor of the worker processes does.
                    end_leases(self._app, worker.pid or 0)
                    worker, dies = self._start(""), False
                elif not is_settled():
                    settled_at = time.monotonic()
                elif not dies or time.monotonic() - settled_at > SURVIVED:
                    break
                assert time.monotonic() < give_up, f"not done in time: {self._outcomes()}"
                time.sleep(LOOK)
            self._stop_workers()
            state = requests.get(f"{self._url}/__simulator__/state", timeout=120).json()
            return self._subject.end_state(state), self._outcomes()

    def _start(self, crashpoint: str) -> ForkServerProcess:
        worker = processes.start_worker(self._environment, crashpoint=crashpoint)
        self._workers.append(worker)
        return worker

    def _stop_workers(self) -> None:
        while self._workers:
            processes.stop(self._workers.pop())

    def _outcomes(self) -> list[str]:
        with reading() as session:
            return [
                state.value
                for state in session.scalars(select(Delivery.state).order_by(Delivery.id))
            ]
