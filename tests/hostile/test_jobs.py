"""Whoever can write into Redis can have no worker run what is not the hub's."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from hub.models import DeliveryState
from hub.queue.alive import live_workers
from hub.queue.jobs import QUEUE, queue_of
from tests.support.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path, redis_socket: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, f"unix://{redis_socket}").running() as fleet:
        yield fleet


class Opened:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self._path,)


def pickled(redis: Redis, path: Path) -> None:
    """As RQ writes jobs unless it is told otherwise, in every part that is a pickle."""
    for queue in (QUEUE, "deliveries"):
        job = Queue(queue, connection=redis).enqueue("pathlib.Path.touch", Opened(path))
        redis.hset(job.key, "meta", pickle.dumps(Opened(path)))


def another_function(redis: Redis, path: Path) -> None:
    Queue(QUEUE, connection=redis, serializer=JSONSerializer).enqueue("os.mkdir", str(path))


def under_the_name_of_ours(redis: Redis, path: Path) -> None:
    job = Queue(QUEUE, connection=redis, serializer=JSONSerializer).enqueue(
        "os.mkdir", str(path), job_id="drain-200"
    )
    redis.hset(job.key, "success_callback_name", "os.remove")


def with_a_callback(redis: Redis, path: Path) -> None:
    job = queue_of(redis).enqueue("hub.queue.jobs.drain", 201, job_id="drain-201")
    data = json.dumps(["hub.queue.jobs.drain", None, [201, str(path)], {}])
    redis.hset(job.key, mapping={"data": data, "success_callback_name": "os.mkdir"})


def garbage(redis: Redis, path: Path) -> None:
    redis.hset("rq:job:drain-202", mapping={"data": b"\xff", "timeout": "soon", "status": "?"})
    redis.set("rq:job:drain-203", "no job at all")
    redis.rpush(f"rq:queue:{QUEUE}", "drain-202", "drain-203", "drain-999999", "", b"\xff\xfe")


@pytest.mark.parametrize(
    "attack", [pickled, another_function, under_the_name_of_ours, with_a_callback, garbage]
)
def test_a_job_that_is_not_ours_is_refused_and_ends_no_worker(fleet, tmp_path, attack):
    path = tmp_path / "made by the attacker"
    attack(fleet.redis, path)
    worker = fleet.start_worker()
    fleet.wait_until(lambda: live_workers(fleet.redis), "the worker does not start")
    fleet.wait_until(lambda: not fleet.redis.llen(f"rq:queue:{QUEUE}"), "it takes no job")
    attack(fleet.redis, path)
    fleet.talk(1, 3)
    fleet.wait()
    assert fleet.states() == {DeliveryState.DONE: 3}
    assert not path.exists()
    assert worker.is_alive()
