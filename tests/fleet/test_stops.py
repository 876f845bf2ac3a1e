"""A stop leaves nothing behind: not what does not stop, nor what a killed process had started."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import requests

from hub.fleet import orphan
from hub.fleet import supervisor as module
from hub.fleet.supervisor import Child, Supervisor
from tests.support.installation import RunningHub, free_port, lives

PATIENCE = 300.0

#: A process that ignores SIGTERM, and tells its number.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""
#: A supervisor of two of those, as ``hub worker`` is one of worker processes.
MIDDLE = f"""
import sys
from hub.fleet import orphan
from hub.fleet.supervisor import Child, Supervisor
from tests.support.installation import RunningHub, free_port, lives
orphan.stop_with_supervisor()
supervisor = Supervisor(together=True)
supervisor.stop_on_signals()
command = [sys.executable, "-c", {STUBBORN!r}, sys.argv[1]]
for name in ("one", "two"):
    supervisor.add(Child(name, command, grace=float(sys.argv[2])))
supervisor.run()
"""


def wait_for(reached, what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < give_up, what
        time.sleep(0.02)


def told(path: Path, count: int) -> list[int]:
    """The numbers of so many stubborn processes."""
    wait_for(lambda: path.exists() and len(path.read_text().split()) >= count, "not started")
    return [int(number) for number in path.read_text().split()]


@pytest.fixture
def story(tmp_path):
    path = tmp_path / "story"
    yield path
    for pid in told(path, 0) if path.exists() else []:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


def middle(story: Path, inner: float, outer: float) -> Child:
    return Child("workers", [sys.executable, "-c", MIDDLE, str(story), str(inner)], grace=outer)


@pytest.mark.parametrize(
    ("inner", "outer"), [(0.3, PATIENCE), (PATIENCE, 0.3)], ids=["inner grace", "outer grace"]
)
def test_what_does_not_stop_is_killed_with_all_it_has_started(story, inner, outer):
    supervisor = Supervisor()
    supervisor.add(middle(story, inner, outer))
    stubborn = told(story, 2)
    supervisor.stop_children()
    wait_for(lambda: not any(lives(pid) for pid in stubborn), "a stop leaves processes behind")


def test_what_a_killed_child_had_started_is_stopped_and_then_killed(story, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor = Supervisor()
    child = middle(story, PATIENCE, 0.3)
    supervisor.add(child)
    first = told(story, 2)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        assert child.process is not None
        child.process.kill()
        told(story, 4)  # its successor has begun
        wait_for(lambda: not any(lives(pid) for pid in first), "a killed child leaves processes")
    finally:
        supervisor.stop()
        thread.join(PATIENCE)
    assert not any(lives(pid) for pid in told(story, 4))


def test_an_orphan_that_does_not_stop_ends_all_the_same(story):
    body = (
        "import sys\nfrom hub.fleet import orphan\norphan.GRACE = 0.3\n"
        f"orphan.stop_with_supervisor()\n{STUBBORN}"
    )
    pid = os.fork()
    if pid == 0:
        Supervisor().add(Child("child", [sys.executable, "-c", body, str(story)]))
        time.sleep(600)
        os._exit(0)
    (stubborn,) = told(story, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: not lives(stubborn), "an orphan does not end")


def test_a_stop_of_all_fits_into_what_systemd_gives_it():
    """``TimeoutStopSec=120`` stands in the documentation."""
    from hub.fleet import installation, workers

    assert installation.GRACES["workers"] > workers.GRACE
    assert sum(installation.GRACES.values()) < 120
    assert installation.GRACES["workers"] >= orphan.GRACE


def test_a_hub_that_follows_a_killed_one_waits_until_nothing_of_it_is_left(tmp_path):
    with RunningHub(tmp_path) as hub:
        hub.start("--processes", "1")
        assert hub.up is not None
        left = {
            process.pid: process.name()
            for process in psutil.Process(hub.up.pid).children(recursive=True)
            if process.name() != "redis-server"  # the new hub ends it
        }
        assert set(left.values()) == {"web", "worker", "worker-process", "sweeper"}
        hub.up.kill()
        hub.up.wait()
        hub.start("--processes", "1")  # until then the old web server may answer
        wait_for(lambda: hub.processes("web"), hub.story())
        assert not {name for pid, name in left.items() if lives(pid)}
        wait_for(lambda: requests.get(f"{hub.url}/readyz", timeout=PATIENCE).ok, hub.story())


def test_a_second_hub_in_one_data_dir_is_refused_at_once(tmp_path):
    with RunningHub(tmp_path) as hub:
        hub.start("--processes", "1")
        done = hub._command("up", "--port", str(free_port()))
        assert "Another hub runs in" in done.stderr
        assert done.returncode == 75
