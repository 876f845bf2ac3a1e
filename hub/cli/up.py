"""``hub up``."""

from __future__ import annotations

import socket

import click

from hub.cli.configuration import configured
from hub.cli.failure import Failure
from hub.cli.output import say
from hub.cli.serving import (
    host_option,
    port_option,
    prepare,
    processes_option,
    threads_option,
    warn_of_root,
)
from hub.fleet.installation import Busy, Installation


@click.command("up")
@host_option
@port_option
@processes_option
@threads_option
def up(host: str, port: int, processes: int, threads: int) -> None:
    """Run everything: Redis if none is configured, web, workers and sweeper."""
    config = configured()
    warn_of_root()
    _require_free(host, port)
    installation = Installation(config)
    try:
        with installation.only_one():
            config = config.reached_by(f"http://{host}:{port}")
            first_login = prepare("--first-login")
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
