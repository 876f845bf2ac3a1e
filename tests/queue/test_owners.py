"""One name for who has a lane, in lease, mutex and slot; whoever reads it reads the same."""

from __future__ import annotations

import os

import pytest

from hub import services
from hub.history import status
from hub.queue import owners
from hub.queue.alive import FLEET
from hub.queue.ready import ReadyLanes
from tests.support.crm import World, make_plugin


def test_a_name_tells_process_and_lane():
    process = owners.process_name()
    taking = f"{owners.taking_of(process)}/17"
    assert (owners.process_of(taking), owners.lane_of(taking)) == (process, 17)
    assert process.startswith(owners.beginning_of(os.getpid()))


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_worker_is_seen_with_the_lanes_that_it_has(make_app, crm):
    with make_app(make_plugin(crm)).app_context() as context:
        world = World(context.app)
        world.ready = ReadyLanes(services.of(context.app).redis)
        services.of(context.app).redis.zadd(FLEET, {"test-worker": 1e12})
        seen = []
        crm.on_handle = lambda _: seen.extend(status.workers(world.account.id))
        world.send("contact.created")
        world.work()
    (worker,) = seen
    assert [lane.key for _, lane in worker.lanes] == [f"{world.source.id}/contact:1"]
