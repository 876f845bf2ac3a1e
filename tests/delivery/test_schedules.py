"""Workers that take, stall, lose and steal a lane in any order: never two that write or call.

The database, its transactions and Redis are real; only time is the machine's own, so that a pause
for longer than a lease, or a clock that jumps, takes no time.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from hub import services
from hub.database import in_transaction, reading
from hub.delivery import lanes, sweeper
from hub.delivery.lanes import Lease
from hub.models import Lane
from hub.queue.mutex import Mutexes, lane_key
from hub.sdk.errors import LaneLost
from tests.support.crm import World

LEASE = 30.0
WORKERS = st.integers(0, 2)
_contacts = itertools.count(1)


@dataclass
class Worker:
    """A worker with a wall clock of its own."""

    name: str
    offset: float = 0.0
    lease: Lease | None = None
    #: The last check before a call was passed; the bytes are about to go.
    checked: bool = False


def one_of(workers: list[Worker], number: int) -> Worker:
    return workers[number % len(workers)]


class Schedule(RuleBasedStateMachine):
    """One lane, three workers, and what may happen to them."""

    world: World
    jumps = False
    wipes = False

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.workers = [Worker(f"worker-{number}") for number in range(3)]
        contact = f"schedule-{next(_contacts)}"
        self.world.send("contact.created", contact=contact)
        with reading() as session:
            lane = session.scalars(select(Lane).where(Lane.key.endswith(contact))).one()
        assert lane.due_at is not None
        self.begin = lane.due_at
        self.lane_id, self.key = lane.id, lane_key(lane.hook_id, lane.id)
        self.redis = services.of(self.world.app).redis
        self.redis.delete(self.key)
        # Redis must not let the key go by the real clock: it goes by this machine's.
        self.mutexes = Mutexes(self.redis, 3_600)
        self.mutex_until = 0.0
        self.highest_writer = self.highest_caller = 0

    def idle(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.lease is None]

    def busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.lease is not None]

    def about_to_call(self) -> list[Worker]:
        return [worker for worker in self.busy() if worker.checked]

    def wall(self, worker: Worker) -> datetime:
        return self.begin + timedelta(seconds=self.now + worker.offset)

    @precondition(lambda self: self.idle())
    @rule(number=WORKERS)
    def take(self, number: int) -> None:
        worker = one_of(self.idle(), number)
        owner = f"{worker.name}/{self.now}"
        lease = in_transaction(
            lambda s: lanes.take(s, self.lane_id, owner, self.wall(worker), LEASE)
        )
        if lease is None:
            return
        admitted = bool(self.redis.set(self.key, owner, nx=True))
        if not admitted and lease.was_free:
            self.mutexes.seize(self.key, owner)
            admitted = True
        if not admitted:
            self.give_lane_back(lease)
            return
        worker.lease, worker.checked = lease, False
        self.mutex_until = self.now + LEASE

    @precondition(lambda self: self.busy())
    @rule(number=WORKERS)
    def renew(self, number: int) -> None:
        worker = one_of(self.busy(), number)
        assert worker.lease is not None
        try:
            in_transaction(lambda s: lanes.renew(s, worker.lease, self.wall(worker), LEASE))
        except LaneLost:
            self.leave(worker)
            return
        if self.mutexes.renew(self.key, worker.lease.owner):
            self.mutex_until = self.now + LEASE

    @precondition(lambda self: self.busy())
    @rule(number=WORKERS)
    def write(self, number: int) -> None:
        """A transaction of the drain: the fence, then what it writes."""
        worker = one_of(self.busy(), number)
        assert worker.lease is not None
        try:
            in_transaction(lambda s: lanes.renew(s, worker.lease, self.wall(worker), LEASE))
        except LaneLost:
            self.leave(worker)
            return
        assert worker.lease.epoch >= self.highest_writer, "a stalled worker has written"
        self.highest_writer = worker.lease.epoch

    @precondition(lambda self: self.busy())
    @rule(number=WORKERS)
    def check(self, number: int) -> None:
        """The question to the database before a call."""
        worker = one_of(self.busy(), number)
        assert worker.lease is not None
        worker.checked = lanes.is_ours(worker.lease)
        if not worker.checked:
            self.leave(worker)

    @precondition(lambda self: self.about_to_call())
    @rule(number=WORKERS)
    def call(self, number: int) -> None:
        """The bytes go, perhaps long after the question."""
        worker = one_of(self.about_to_call(), number)
        assert worker.lease is not None
        try:
            worker.lease.require_time()
        except LaneLost:
            self.leave(worker)
            return
        assert worker.lease.epoch >= self.highest_caller, "a stalled worker has called"
        self.highest_caller = worker.lease.epoch
        worker.checked = False

    @precondition(lambda self: self.about_to_call() and self.idle())
    @rule(number=WORKERS)
    def another_takes_over(self, number: int) -> None:
        """A worker is stopped just before its call, for longer than its lease."""
        self.time_passes(LEASE + 1)
        other = one_of(self.idle(), number)
        self.take(self.idle().index(other))
        if other.lease is not None:
            self.check(self.busy().index(other))
            self.call(self.about_to_call().index(other))

    @precondition(lambda self: self.busy())
    @rule(number=WORKERS)
    def give_back(self, number: int) -> None:
        worker = one_of(self.busy(), number)
        assert worker.lease is not None
        self.give_lane_back(worker.lease)
        self.mutexes.release(self.key, worker.lease.owner)
        self.leave(worker)

    @rule(seconds=st.sampled_from([1.0, 9.0, 29.0, 31.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        """Also the pause of a stopped process: everybody's clock goes on."""
        self.now += seconds
        if self.now >= self.mutex_until:
            self.redis.delete(self.key)

    @precondition(lambda self: self.jumps)
    @rule(number=WORKERS, seconds=st.sampled_from([-7_200.0, -40.0, 40.0, 7_200.0]))
    def clock_jumps(self, number: int, seconds: float) -> None:
        self.workers[number].offset += seconds

    @precondition(lambda self: self.wipes)
    @rule()
    def redis_is_wiped(self) -> None:
        self.redis.delete(self.key)

    @invariant()
    def one_lease_counts(self) -> None:
        current = [
            worker.name
            for worker in self.workers
            if worker.lease is not None and lanes.is_ours(worker.lease)
        ]
        assert len(current) <= 1

    def teardown(self) -> None:
        """Whatever happened, the lane is found again once the leases are over."""
        late = self.begin + timedelta(seconds=self.now + 100_000 + sweeper.FORGOTTEN)
        with reading() as session:
            lane = session.get_one(Lane, self.lane_id)
            found = session.scalars(sweeper._due(lane.hook_id, late, False)).all()
        assert self.lane_id in found, "a lane with work was forgotten"

    def give_lane_back(self, lease: Lease) -> None:
        with suppress(LaneLost):
            in_transaction(lambda s: lanes.give_back(s, lease, self.begin))

    def leave(self, worker: Worker) -> None:
        worker.lease, worker.checked = None, False


@pytest.mark.parametrize("trouble", ["jumps", "wipes"])
def test_never_two_workers_in_a_lane(world, monkeypatch, trouble):
    machines: list[Schedule] = []

    def machine() -> Schedule:
        kind = type("Troubled", (Schedule,), {"world": world, trouble: True})
        made = kind()
        machines.append(made)
        return made

    clock = SimpleNamespace(monotonic=lambda: machines[-1].now if machines else 0.0)
    monkeypatch.setattr(lanes, "time", clock)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(machines) >= 100
