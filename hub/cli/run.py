"""``hub up``, and its parts one by one: web, worker, sweeper."""

from __future__ import annotations

import signal
import socket
import threading
import time
from functools import partial

import click

from hub.access import invitations
from hub.app import create_web_app
from hub.cli.application import Failure, application, entered, require_schema
from hub.cli.output import say
from hub.config import Config
from hub.delivery.sweeper import PERIOD, Sweeper
from hub.fleet import orphan, upkeep, workers
from hub.fleet import web as web_server
from hub.fleet import worker as worker_module
from hub.fleet.installation import Busy, Installation

DEFAULT_PROCESSES = 2

_processes = click.option(
    "--processes", type=click.IntRange(1, 256), default=DEFAULT_PROCESSES, show_default=True
)
_threads = click.option(
    "--threads",
    type=click.IntRange(1, 512),
    default=worker_module.DEFAULT_THREADS,
    show_default=True,
    help="Lanes in progress at once in each process.",
)
_host = click.option("--host", default="127.0.0.1", show_default=True)
_port = click.option("--port", type=int, default=8000, show_default=True)


@click.command("up")
@_host
@_port
@_processes
@_threads
def up(host: str, port: int, processes: int, threads: int) -> None:
    """Run everything: Redis if none is configured, web, workers and sweeper."""
    app = application()
    config: Config = app.extensions["hub.config"]
    _require_free(host, port)
    installation = Installation(config)
    try:
        with installation.only_one():
            config = config.reached_by(f"http://{host}:{port}")
            app.extensions["hub.config"] = config
            with app.app_context():
                require_schema()
                first_login = invitations.first_administrator()
            installation.start(host, port, processes, threads)
            say(f"The hub runs at {config.public_url} (data in {config.data_dir}).")
            if first_login:
                say(f"Nobody can sign in yet. Make the first login here, once: {first_login}")
            installation.run()
    except Busy as error:
        raise Failure(str(error)) from error


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Failure(f"Port {port} of {host} cannot be used: {error.strerror}.") from error


@click.command("web")
@_host
@_port
@click.option("--processes", type=int, default=web_server.PROCESSES, show_default=True)
@click.option("--threads", type=int, default=web_server.THREADS, show_default=True)
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Run the web server: the inbox, the API and the dashboard."""
    with application().app_context():
        require_schema()
    orphan.stop_with_supervisor()
    make = partial(application, create_web_app)
    web_server.Server(make, web_server.options(host, port, processes, threads)).run()


@click.command("worker")
@_processes
@_threads
def worker(processes: int, threads: int) -> None:
    """Run worker processes; a crashed one is replaced."""
    app = application()
    with app.app_context():
        require_schema()
    orphan.stop_with_supervisor()
    workers.run(app, processes, threads)


@click.command("worker-process", hidden=True)
@_threads
def worker_process(threads: int) -> None:
    """Run one worker process."""
    app = application()
    orphan.stop_with_supervisor()
    worker_module.run(app, threads)


@click.command("sweeper")
@click.option("--once", is_flag=True, help="One round only.")
def sweeper(once: bool) -> None:
    """Queue lanes that have work and no worker. Several at once do no harm."""
    orphan.stop_with_supervisor()
    stopping = threading.Event()
    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    with entered() as app:
        require_schema()
        sweeping = Sweeper(app)
        next_upkeep = 0.0
        while True:
            sweeping.sweep()
            if time.monotonic() >= next_upkeep:
                upkeep.run()
                next_upkeep = time.monotonic() + upkeep.PERIOD
            if once or stopping.wait(PERIOD):
                return
