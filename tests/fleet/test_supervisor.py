"""The supervisor: it replaces what ends, and stops all in order."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from hub.fleet import supervisor as module
from hub.fleet.supervisor import CannotStart, Child, Supervisor


def wait_for(path: Path, lines: int) -> list[str]:
    give_up = time.monotonic() + 120
    while not path.exists() or len(path.read_text().splitlines()) < lines:
        assert time.monotonic() < give_up, f"{path.name} has not {lines} lines"
        time.sleep(0.02)
    return path.read_text().splitlines()


def child_that(body: str, path: Path) -> list[str]:
    """A program that appends to a file."""
    prelude = (
        "import os, signal, sys, time\n"
        f"def write(text):\n    with open({str(path)!r}, 'a') as file: file.write(text + '\\n')\n"
    )
    return [sys.executable, "-c", prelude + body]


@pytest.fixture
def running():
    """Runs a supervisor in the background and stops it at the end."""
    supervisor = Supervisor()
    thread = threading.Thread(target=supervisor.run)
    started = []

    def start() -> Supervisor:
        thread.start()
        started.append(True)
        return supervisor

    yield supervisor, start
    supervisor.stop()
    if started:
        thread.join(120)
    else:
        supervisor.stop_children()


def test_a_child_that_ends_is_started_again_and_told_whom_it_replaces(
    running, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor, start = running
    path = tmp_path / "starts"
    # A supervisor may itself be the successor of another; that is none of its children's business.
    monkeypatch.setenv(module.PREDECESSOR, "1")
    body = f"write(str(os.getpid()) + ' after ' + os.environ[{module.PREDECESSOR!r}])"
    supervisor.add(Child("short", child_that(body, path)))
    start()
    first, second, third = (line.split(" after ") for line in wait_for(path, 3)[:3])
    assert first[1] == ""
    assert second[1] == first[0]
    assert third[1] == second[0] != first[0]


def test_the_pauses_grow_with_each_crash_in_a_row(running, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.2)
    supervisor, start = running
    path = tmp_path / "starts"
    supervisor.add(Child("short", child_that("write(str(time.monotonic())); sys.exit(3)", path)))
    start()
    starts = [float(line) for line in wait_for(path, 5)]
    told = [record.fields["seconds"] for record in caplog.records if "again" in record.message]
    assert told[:4] == [0.05, 0.1, 0.2, 0.2]
    # A busy machine makes a pause longer, never shorter.
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(pause >= least for pause, least in zip(pauses, told, strict=False))


def test_a_child_may_have_a_longest_pause_of_its_own(running, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor, start = running
    path = tmp_path / "starts"
    command = child_that("write('on'); sys.exit(3)", path)
    supervisor.add(Child("door", command, longest_pause=0.08))
    start()
    wait_for(path, 4)
    told = [record.fields["seconds"] for record in caplog.records if "again" in record.message]
    assert told[:3] == [0.05, 0.08, 0.08]


def test_crashes_are_forgotten_after_a_healthy_minute(running, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor, start = running
    path = tmp_path / "starts"
    child = Child("door", child_that("write('on'); sys.exit(3)", path))
    supervisor.add(child)
    start()
    wait_for(path, 4)
    assert child.crashes >= 3
    monkeypatch.setattr(module, "STEADY", 0.0)  # from now on each start was a healthy one
    caplog.clear()
    wait_for(path, 7)
    told = [record.fields["seconds"] for record in caplog.records if "again" in record.message]
    assert told[-1] == 0.05
    assert child.crashes == 1


def test_children_are_stopped_the_last_started_first(running, tmp_path):
    supervisor, start = running
    path = tmp_path / "story"
    body = (
        "def end(*_):\n    time.sleep(0.2)\n    write('ended ' + sys.argv[1])\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nwrite('started ' + sys.argv[1])\ntime.sleep(60)"
    )
    for name in ("first", "second"):
        supervisor.add(Child(name, [*child_that(body, path), name]))
        wait_for(path, 1 if name == "first" else 2)
    start()
    supervisor.stop()
    assert wait_for(path, 4)[2:] == ["ended second", "ended first"]


def test_a_child_that_does_not_stop_is_killed(running, tmp_path):
    supervisor, _ = running
    path = tmp_path / "story"
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwrite('on')\ntime.sleep(60)"
    child = Child("stubborn", child_that(body, path), grace=0.3)
    supervisor.add(child)
    wait_for(path, 1)
    supervisor.stop_children()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_children_end_when_their_supervisor_was_killed(tmp_path):
    path = tmp_path / "story"
    child = child_that(
        "from hub.fleet import orphan\n"
        "signal.signal(signal.SIGTERM, lambda *_: (write('ended'), os._exit(0)))\n"
        "orphan.stop_with_supervisor()\nwrite(str(os.getpid()))\ntime.sleep(60)",
        path,
    )
    pid = os.fork()
    if pid == 0:
        supervisor = Supervisor()
        supervisor.add(Child("child", child))
        time.sleep(60)
        os._exit(0)
    wait_for(path, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert wait_for(path, 2)[1] == "ended"


@pytest.mark.parametrize("code", [1, 70, 78])
def test_a_vital_child_that_cannot_start_ends_all_at_once_and_says_why(tmp_path, caplog, code):
    supervisor = Supervisor()
    path = tmp_path / "story"
    supervisor.add(Child("other", child_that("write('on'); time.sleep(600)", path)))
    wait_for(path, 1)
    command = child_that(f"sys.exit({code})", path)
    supervisor.add(Child("web", command, vital=True))
    with pytest.raises(CannotStart, match="'web'"):
        supervisor.run()
    assert not any(child.lives() for child in supervisor._children)
    (told,) = [record.fields for record in caplog.records if "cannot start" in record.message]
    assert (told["child"], told["code"]) == ("web", code)
    assert told["why"]


@pytest.mark.parametrize("end", ["sys.exit(75)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_vital_child_that_may_start_later_or_was_killed_is_started_again(
    running, tmp_path, monkeypatch, end
):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor, start = running
    path = tmp_path / "starts"
    supervisor.add(Child("web", child_that(f"write('on'); {end}", path), vital=True))
    start()
    wait_for(path, 3)


def test_a_vital_child_that_was_up_once_is_started_again(running, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    supervisor, start = running
    path = tmp_path / "starts"
    body = (
        "write('on')\nif len(open(sys.argv[1]).readlines()) == 1:\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\nsys.exit(70)"
    )
    supervisor.add(Child("web", [*child_that(body, path), str(path)], vital=True))
    start()
    wait_for(path, 3)
