"""``hub worker``."""

from __future__ import annotations

import click

from hub.cli.configuration import configured
from hub.cli.serving import prepare, processes_option, starts, threads_option, warn_of_root
from hub.fleet import workers


@click.command("worker")
@processes_option
@threads_option
@click.option("--prepared", is_flag=True, hidden=True, help="'hub prepare' has just run.")
@starts
def worker(processes: int, threads: int, prepared: bool) -> None:
    """Run worker processes; a crashed one is replaced."""
    configured()
    warn_of_root()
    if not prepared:
        prepare()
    workers.run(processes, threads)
