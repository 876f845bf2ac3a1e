"""What ``hub up`` and its parts share.

``hub up`` and ``hub worker`` only watch over other processes, so they never load the application:
it would cost each as much memory as a worker.
"""

from __future__ import annotations

import os
import subprocess

import click

from hub.cli.output import say
from hub.fleet.supervisor import hub_command
from hub.fleet.workers import PROCESSES, THREADS

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


def warn_of_root() -> None:
    """Say aloud that the hub runs as root; once, not in each child."""
    if os.geteuid() == 0 and "HUB_SUPERVISOR_PID" not in os.environ:
        say(AS_ROOT)


def prepare(*options: str) -> str:
    """Run ``hub prepare`` in a process of its own; returns what it printed.

    :raises click.exceptions.Exit: it failed, and has said why.
    """
    done = subprocess.run(hub_command("prepare", *options), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise click.exceptions.Exit(done.returncode)
    return done.stdout.strip()
