"""What the continuous integration adds to the commands of the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BURN = "import time\nwhile time.process_time() < 0.7: pass\n"
#: Burns in a process whose parent has ended, as a daemon does, and then ends, too.
BURN_AS_ORPHAN = """
import os, time
read, write = os.pipe()
if os.fork() == 0:
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent: time.sleep(0.01)
        while time.process_time() < 0.7: pass
    os._exit(0)
os.close(write)
os.wait()
os.read(read, 1)  # nothing: until the last that can write has ended
"""


def bounded(seconds: float, code: str) -> subprocess.CompletedProcess[str]:
    guard = [sys.executable, str(ROOT / ".ci/cpu_bound.py"), str(seconds)]
    return subprocess.run([*guard, sys.executable, "-c", code], capture_output=True, text=True)


def used(done: subprocess.CompletedProcess[str]) -> float:
    found = re.search(r"CPU: (\d+) s", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found[1])


@pytest.mark.parametrize(("code", "exit_code"), [("", 0), ("raise SystemExit(3)", 3)])
def test_within_the_bound_the_command_has_the_word(code, exit_code):
    done = bounded(60, code)
    assert done.returncode == exit_code
    assert "TOO SLOW" not in done.stderr


@pytest.mark.parametrize("code", [BURN, BURN_AS_ORPHAN])
def test_a_command_that_uses_more_fails(code):
    done = bounded(0.5, code)
    assert done.returncode == 1, done
    assert "TOO SLOW" in done.stderr


def test_who_waits_uses_nothing():
    assert bounded(0.5, "import time; time.sleep(0.7)").returncode == 0


def test_the_suite_runs_within_a_bound_and_with_coverage():
    script = (ROOT / ".ci/run").read_text()
    assert re.search(r"cpu_bound\.py \d+ make test ARGS=--cov", script)
