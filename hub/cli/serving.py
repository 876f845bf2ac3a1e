"""What ``hub up`` and its parts share.

``hub up`` and ``hub worker`` only watch over other processes, so they never load the application:
it would cost each as much memory as a worker.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from typing import ParamSpec

import click

from hub.cli.failure import Failure
from hub.cli.output import say
from hub.fleet.supervisor import hub_command
from hub.fleet.workers import PROCESSES, THREADS

Arguments = ParamSpec("Arguments")

#: Said aloud where the hub runs as root.
AS_ROOT = (
    "The hub runs as root, and so does every plugin. It needs no right of root: make a user for it "
    "that owns the data dir."
)
host_option = click.option("--host", default="127.0.0.1", show_default=True)
port_option = click.option("--port", type=int, default=8000, show_default=True)
processes_option = click.option(
    "--processes", type=click.IntRange(1, 256), default=PROCESSES, show_default=True
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 512),
    default=THREADS,
    show_default=True,
    help="Lanes in progress at once in each process.",
)


def starts(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A command that runs until it is stopped: its exit code says why it could not start."""

    @functools.wraps(command)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> None:
        try:
            command(*arguments, **options)
        except Failure as failure:
            failure.code = failure.code_of_start
            raise

    return wrapped


def warn_of_root() -> None:
    """Say aloud that the hub runs as root; once, not in each child."""
    if os.geteuid() == 0 and "HUB_SUPERVISOR_PID" not in os.environ:
        say(AS_ROOT)


def prepare(*options: str) -> str:
    """Run ``hub prepare`` in a process of its own; returns what it printed.

    :raises SystemExit: it failed, and has said why.
    """
    done = subprocess.run(hub_command("prepare", *options), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        # Click's own ``Exit`` would end as 0 here.
        raise SystemExit(done.returncode)
    return done.stdout.strip()
