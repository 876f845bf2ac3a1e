"""Ready lanes: fair between hooks, bounded for each, and what calls the workers."""

from __future__ import annotations

import time

import pytest
from redis import Redis
from rq import Queue

from hub.queue.alive import FLEET, live_workers
from hub.queue.jobs import GUARD, QUEUE, Waker, queue_of
from hub.queue.mutex import Mutexes, lane_key
from hub.queue.rate_limit import RateLimit
from hub.queue.ready import IDLE, IDLE_TTL, LENT, SLOT_TTL, SLOTS, ReadyLane, ReadyLanes


@pytest.fixture
def redis(redis_socket):
    client = Redis(unix_socket_path=str(redis_socket))
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def ready(redis):
    return ReadyLanes(redis)


def test_lanes_are_taken_once_and_oldest_first(ready):
    ready.push([ReadyLane(1, 10)])
    time.sleep(0.002)
    ready.push([ReadyLane(1, 5), ReadyLane(1, 10)])
    assert [ready.take().lane_id, ready.take().lane_id] == [10, 5]
    assert ready.take() is None


def test_a_long_backlog_does_not_keep_another_hook_waiting(ready):
    ready.push([ReadyLane(1, lane) for lane in range(1_000)])
    ready.push([ReadyLane(2, 5_000)])
    assert 5_000 in [ready.take().lane_id for _ in range(2)]


def test_a_hook_has_so_many_lanes_in_progress_and_no_more(ready):
    ready.set_limits({1: 2})
    ready.push([ReadyLane(1, lane) for lane in range(5)])
    first = ready.take()
    assert ready.take() is not None
    assert ready.take() is None
    assert ready.has_takeable() is False
    ready.give_back(first)
    assert ready.has_takeable() is True
    assert ready.take() is not None


def grow_older(redis: Redis, seconds: float) -> None:
    """Let so many seconds of the taken slots' time pass."""
    for slot in redis.zrange(f"{SLOTS}1", 0, -1):
        redis.zincrby(f"{SLOTS}1", -1000 * seconds, slot)


def test_the_slot_of_a_dead_worker_becomes_free(ready, redis):
    ready.set_limits({1: 1})
    ready.push([ReadyLane(1, 1), ReadyLane(1, 2)])
    assert ready.take() is not None
    assert ready.take() is None
    grow_older(redis, SLOT_TTL + 1)
    assert ready.take() is not None


def test_a_slot_that_is_kept_stays_taken(ready, redis, monkeypatch):
    ready.set_limits({1: 1})
    ready.push([ReadyLane(1, 1), ReadyLane(1, 2)])
    lane = ready.take()
    monkeypatch.setattr("hub.queue.ready.SLOT_TTL", 600)
    ready.keep([lane])
    grow_older(redis, SLOT_TTL + 1)
    assert ready.take() is None


def test_a_held_hook_waits(ready):
    ready.push([ReadyLane(1, 1)])
    ready.hold(1, 60)
    assert ready.take() is None
    ready.unhold(1)
    assert ready.take() is not None


def test_a_dropped_hook_is_forgotten(ready):
    ready.push([ReadyLane(1, 1)])
    ready.drop(1)
    assert ready.take() is None


def live_fleet(redis, size):
    for number in range(size):
        redis.zadd(FLEET, {f"worker-{number}": time.time() + 60})


def test_one_job_for_each_worker_at_most(redis):
    live_fleet(redis, 3)
    waker = Waker(redis)
    waker.wake(1)
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-0"]
    waker.wake(100)
    waker.wake(100)
    assert sorted(Queue(QUEUE, connection=redis).job_ids) == ["drain-0", "drain-1", "drain-2"]


def test_jobs_carry_nothing_but_a_number(redis):
    Waker(redis).wake(1)
    (job,) = queue_of(redis).jobs
    assert (job.func_name, tuple(job.args), job.kwargs) == ("hub.queue.jobs.drain", (0,), {})


def test_the_job_of_a_dead_worker_is_replaced(redis, monkeypatch):
    waker = Waker(redis)
    waker.wake(1)
    queue = Queue(QUEUE, connection=redis)
    queue.remove("drain-0")  # a worker took it, and died
    redis.delete(GUARD + "0")  # its sign of life has expired
    waker.wake(1)
    assert queue.job_ids == ["drain-0"]


def test_a_job_that_still_waits_is_not_repeated(redis):
    waker = Waker(redis)
    waker.wake(1)
    redis.delete(GUARD + "0")
    waker.wake(1)
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-0"]
    waker.start_anew()
    waker.wake(1)
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-0"]
    assert live_workers(redis) == []


def test_a_mutex_is_freed_and_renewed_by_its_owner_only(redis):
    mutexes = Mutexes(redis, ttl=60)
    key = lane_key(7, 3)
    assert key == "CRM_PROCESS_MUTEX::7::3"
    redis.set(key, "me")
    assert mutexes.renew(key, "you") is False
    mutexes.release(key, "you")
    assert redis.get(key) == b"me"
    assert mutexes.renew(key, "me") is True
    mutexes.release(key, "me")
    assert redis.get(key) is None
    mutexes.seize(key, "you")
    mutexes.seize(key, "me")
    assert redis.get(key) == b"me"


def test_a_mutex_that_redis_forgot_is_renewed(redis):
    mutexes = Mutexes(redis, ttl=60)
    mutexes.seize("k", "me")
    redis.flushall()
    assert mutexes.renew("k", "me") is True
    assert redis.get("k") == b"me"


def test_calls_per_second_are_shared(redis):
    limit = RateLimit(redis)
    started = time.monotonic()
    for _ in range(25):
        limit.wait(1, 20)
    assert time.monotonic() - started > 0.2, "20 at once, then one every 50 ms"


def test_a_hook_can_be_passed_over_for_others(ready):
    ready.set_limits({1: 4, 2: 4})
    ready.push([ReadyLane(1, 1), ReadyLane(2, 2)])
    assert ready.take(passing_over=1).hook_id == 2
    assert ready.take(passing_over=1) is None
    assert ready.take().hook_id == 1


def test_the_only_hook_is_not_passed_over(ready):
    ready.set_limits({1: 4})
    ready.push([ReadyLane(1, 1), ReadyLane(1, 2)])
    taken = ready.take(passing_over=1)
    assert taken is not None
    assert ready.exchange(taken, passing_over=1) is not None


def test_the_mutex_of_a_lane_comes_and_goes_with_it(ready, redis):
    ready.push([ReadyLane(1, 10), ReadyLane(1, 11)])
    first = ready.take("me")
    assert first.has_mutex
    assert redis.get(lane_key(1, first.lane_id)) == first.slot.encode()
    second = ready.exchange(first, "me")
    assert redis.get(lane_key(1, first.lane_id)) is None
    ready.give_back(second)
    assert redis.get(lane_key(1, second.lane_id)) is None


def test_the_mutex_of_another_stays_his(ready, redis):
    redis.set(lane_key(1, 10), "somebody")
    ready.push([ReadyLane(1, 10)])
    lane = ready.take("me")
    assert not lane.has_mutex
    ready.give_back(lane)
    assert redis.get(lane_key(1, 10)) == b"somebody"


def test_an_idle_session_comes_and_goes_with_a_lane(ready, redis):
    now = time.time()
    redis.zadd(f"{IDLE}1", {"older": now - 60, "newer": now - 5})
    ready.push([ReadyLane(1, 10), ReadyLane(2, 20)])
    lanes = {lane.hook_id: lane for lane in (ready.take(), ready.take())}
    assert (lanes[1].session, lanes[2].session) == ("newer", "")
    assert redis.hkeys(f"{LENT}1") == [b"newer"]
    ready.give_back(lanes[1])
    assert redis.hkeys(f"{LENT}1") == []
    assert redis.zrange(f"{IDLE}1", 0, -1) == [b"older", b"newer"]


def test_a_session_that_was_idle_for_long_is_left_to_be_closed(ready, redis):
    redis.zadd(f"{IDLE}1", {"old": time.time() - IDLE_TTL - 1})
    ready.push([ReadyLane(1, 10)])
    assert ready.take().session == ""
    assert redis.zrange(f"{IDLE}1", 0, -1) == [b"old"]


def test_only_idle_workers_are_called(redis):
    live_fleet(redis, 2)
    waker = Waker(redis)
    waker.keep(0, "worker-1")
    waker.wake(5)
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-1"]
    waker.keep(1, "worker-that-died")
    Queue(QUEUE, connection=redis).remove("drain-1")
    waker.wake(5)
    assert Queue(QUEUE, connection=redis).job_ids == ["drain-1"]
