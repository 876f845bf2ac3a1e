"""What it costs to start a command: CPU beside that of importing what no such command can do
without."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi

_ROUNDS = 15
_YARDSTICKS = {
    "help": "import flask, sqlalchemy",
    "status": "import sqlalchemy.orm, redis",
}
_COMMANDS = {"help": ("--help",), "status": ("status", "--json")}
_RATIOS = {
    "help": "starts.help.ratio_to_flask_and_sqlalchemy",
    "status": "starts.status.ratio_to_orm_and_redis",
}


def measure(figures: Figures, quick: bool) -> None:
    """``hub --help`` and ``hub status`` of a hub that runs, with a connection to GLPI."""
    with simulated_glpi(0) as glpi, installed(glpi) as installation:
        installation.start_sweeper()
        for name, ratio in _RATIOS.items():
            command = [sys.executable, "-m", "hub", *_COMMANDS[name]]
            yardstick = [sys.executable, "-c", _YARDSTICKS[name]]
            ours, theirs = [], []
            for number in range((5 if quick else _ROUNDS) + 1):
                times = _cpu(installation, command), _cpu(installation, yardstick)
                if number:  # the first writes the caches
                    ours.append(times[0])
                    theirs.append(times[1])
            figures.note(f"starts.{name}.cpu_ms", *(1_000 * seconds for seconds in ours))
            figures.note_ratio(ratio, ours, theirs)


def _cpu(installation: Installation, command: list[str]) -> float:
    """Seconds of CPU, user and system, that a process took.

    :raises subprocess.CalledProcessError: it failed.
    """
    process = subprocess.Popen(
        command, env=installation.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime
