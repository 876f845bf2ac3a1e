"""Real processes for tests, forked from a server that has everything imported already.

A fresh interpreter needs a second for its imports; a fork of a warm one needs milliseconds, and
is as much a process of its own: it can be killed at any moment.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from typing import Any

from hub.sdk.testing.simulator import Simulator

#: Seconds that a simulator may take to start.
START = 30.0

_context = multiprocessing.get_context("forkserver")
# pytest, since every process of its tests imports its main module.
_context.set_forkserver_preload(
    ["hub.cli", "hub.fleet.worker", "hub.delivery.drain", "hub.kit.warm", "pytest"]
)


def start(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Run a function of a module in a process of its own, which ends with ours."""
    process = _context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def start_worker(
    environment: Mapping[str, str], threads: int = 1, crashpoint: str = ""
) -> ForkServerProcess:
    """A worker process of the installation that the environment describes.

    ``crashpoint`` is the value of ``HUB_CRASHPOINT``.
    """
    return start(_work, dict(environment), threads, crashpoint)


def _work(environment: dict[str, str], threads: int, crashpoint: str) -> None:
    from hub import crashpoint as crashpoints
    from hub import log
    from hub.app import create_app
    from hub.config import Config
    from hub.fleet import worker
    from hub.kit import warm

    log.configure("console")
    app = create_app(Config.from_environment(environment), warm.registry())
    if crashpoint:
        crashpoints.arm(crashpoint)
    worker.run(app, threads)


def start_simulator(make: Callable[[], Simulator]) -> tuple[ForkServerProcess, str]:
    """A simulator in a process of its own; answers the process and the simulator's URL."""
    ours, theirs = _context.Pipe()
    process = start(_simulate, make, theirs)
    # Ours alone is left open, so that a process that dies instead of answering is noticed.
    theirs.close()
    if not ours.poll(START):
        stop(process)
        raise TimeoutError(f"the simulator did not start within {START:g} seconds")
    url: str = ours.recv()
    return process, url


def _simulate(make: Callable[[], Simulator], pipe: Any) -> None:
    simulator = make()
    simulator.run_forever(lambda: pipe.send(simulator.url))


def stop(process: ForkServerProcess) -> None:
    """Kill a process and wait until it is gone."""
    if process.is_alive() and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
