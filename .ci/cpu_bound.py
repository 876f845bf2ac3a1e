#!/usr/bin/env python3
"""Runs a command, and fails when it used more CPU than it may: ``cpu_bound.py SECONDS COMMAND…``.

What counts is user and system time of the command and of every process below it, also of those
that left their parent. A busy machine makes a command slow, but hardly dearer.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time

#: From ``linux/prctl.h``: orphans below us become our children, so that their CPU is told to us.
PR_SET_CHILD_SUBREAPER = 36
#: Seconds that orphans get to end.
PATIENCE = 10.0


def main(bound: float, command: list[str]) -> int:
    """Returns the command's exit code, or 1 when only the bound is broken."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
    code = subprocess.run(command).returncode
    reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    print(
        f"\nCPU: {seconds:.0f} s ({used.ru_utime:.0f} user, {used.ru_stime:.0f} system)"
        f" of {bound:.0f} s that '{' '.join(command)}' may use.",
        flush=True,
    )
    if seconds <= bound:
        return code
    print(
        f"TOO SLOW: {seconds - bound:.0f} s of CPU above the bound, which is 1.3 times what was"
        " measured when it was set. Find what became dear with 'make test ARGS=--durations=50';"
        " raise the bound in .ci/run only for what is worth it.",
        file=sys.stderr,
        flush=True,
    )
    return code or 1


def reap() -> None:
    """Take in the orphans as they end. Those that run on are told, and not counted."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            return
    print("The command left processes that still run; their CPU is not counted.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
