"""``hub worker-process``: what ``hub worker`` runs several of."""

from __future__ import annotations

import click

from hub.cli.application import application
from hub.cli.serving import threads_option
from hub.fleet import departures, worker


@click.command("worker-process", hidden=True)
@threads_option
def worker_process(threads: int) -> None:
    """Run one worker process."""
    app = application()
    departures.end_leases_of_predecessor(app)
    worker.run(app, threads)
    departures.sign_out_if_last(app)
