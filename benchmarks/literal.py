"""The obvious way: an RQ job for each event, a mutex for each hook, a GLPI session for each call.

The worker is the one that RQ starts by default: it forks for each job, and the fork imports the
application. A job that finds the mutex taken is tried again as Chatwoot's own hook jobs are: three
tries, three seconds apart. Then the event is lost.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from rq import Queue, Retry, Worker

from benchmarks import end_to_end
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi
from hub import services

_ROUNDS = 3
_EVENTS, _EVENTS_OF_FOUR = 10, 60
_HUB_EVENTS = 300
#: What the hub does unless somebody says otherwise.
_HUB_LANES = 8


def measure(figures: Figures, quick: bool) -> None:
    """One worker, for its speed; four, for what they lose; and the hub beside them."""
    with simulated_glpi(end_to_end.SERVICE_TIME) as glpi, installed(glpi) as installation:
        installation.start_web()
        installation.start_sweeper()
        installation.start_workers()
        installation.set_lanes(_HUB_LANES)
        end_to_end.deliver(installation, 2 * _HUB_LANES)
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(_HUB_EVENTS / end_to_end.deliver(installation, _HUB_EVENTS))
            events = _EVENTS // 2 if quick else _EVENTS
            seconds, _lost = _run(installation, events, workers=1)
            theirs.append(events / seconds)
        figures.note("literal_baseline.per_second", *theirs)
        figures.note_ratio("end_to_end.ratio_to_literal_baseline", ours, theirs)
        _, lost = _run(installation, _EVENTS_OF_FOUR, workers=4)
        figures.note("literal_baseline.lost_share_of_four_workers", lost / _EVENTS_OF_FOUR)


def _run(installation: Installation, events: int, workers: int) -> tuple[float, int]:
    """The seconds for so many events, and how many of them were lost."""
    redis_url = f"unix://{installation.config.redis_socket}"
    queue = Queue(f"literal-{uuid.uuid4().hex}", connection=services.of(installation.app).redis)
    # RQ counts the first try apart, and knows pauses only with a scheduler.
    retry = Retry(max=2, interval=3)
    program = str(Path(sys.executable).with_name("rq"))
    command = [program, "worker", queue.name, "--url", redis_url, "--with-scheduler", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    processes = [
        subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    try:
        _wait_for_workers(queue, workers)
        jobs = [
            queue.enqueue(
                "benchmarks.literal_job.deliver",
                redis_url,
                installation.glpi.url,
                f"literal.{uuid.uuid4().hex}@example.com",
                retry=retry,
            )
            for _ in range(events)
        ]
        started = time.monotonic()
        while any(job.get_status() not in ("finished", "failed") for job in jobs):
            time.sleep(0.05)
        seconds = time.monotonic() - started
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    return seconds, sum(job.get_status() == "failed" for job in jobs)


def _wait_for_workers(queue: Queue, number: int) -> None:
    while Worker.count(queue=queue) < number:
        time.sleep(0.05)
