"""A hook whose CRM does not answer, and the others beside it. How fast they are is measured by
``benchmarks/neighbour.py``; here it is about who gets a turn at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_glpi.simulator import GlpiSimulator
from sqlalchemy import select

from hub.database import reading
from hub.models import Delivery, DeliveryState
from hub.sdk.testing.simulator import Fault
from tests.support.fleet import Fleet

#: Seconds in which the slow CRM answers.
SLOW = 25.0


@pytest.fixture
def fleet(tmp_path: Path, redis_socket: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, f"unix://{redis_socket}").running() as fleet:
        yield fleet


def states_of(hook_id: int) -> Counter[DeliveryState]:
    with reading() as session:
        return Counter(session.scalars(select(Delivery.state).where(Delivery.hook_id == hook_id)))


def test_a_crm_that_does_not_answer_never_has_all_threads(fleet):
    slow = fleet.tenant.hook.id
    with GlpiSimulator() as quick:
        healthy = fleet.add(quick)
        fleet.glpi.add_fault(Fault("latency", seconds=SLOW, times=None))
        for contact in range(1, 301):
            fleet.talk(contact, 1)
        fleet.start_worker(threads=3)
        fleet.wait_until(lambda: len(fleet.owners()) == 2, "the backlog is not worked on")
        for contact in range(1, 31):
            fleet.talk(contact, 3, tenant=healthy)
        fleet.wait_until(
            lambda: states_of(healthy.hook.id) == {DeliveryState.DONE: 90},
            "the healthy hook waits",
        )
    assert states_of(slow) == {DeliveryState.RUNNING: 2, DeliveryState.PENDING: 298}


def test_a_backlog_of_thousands_is_served_in_turns(fleet):
    """With one thread for both, the other hook is done while most of the backlog waits."""
    long = fleet.tenant.hook.id
    with GlpiSimulator() as other:
        healthy = fleet.add(other)
        for contact in range(1, 2_001):
            fleet.talk(contact, 1)
        fleet.start_worker(threads=1)
        fleet.wait_until(lambda: states_of(long)[DeliveryState.DONE] > 10, "nothing happens")
        for contact in range(1, 21):
            fleet.talk(contact, 1, tenant=healthy)
        fleet.wait_until(
            lambda: states_of(healthy.hook.id) == {DeliveryState.DONE: 20}, "the other hook waits"
        )
    assert states_of(long)[DeliveryState.PENDING] > 1_000
