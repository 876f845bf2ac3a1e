"""``hub up``."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import click

from hub.cli.configuration import configured
from hub.cli.failure import Broken, NotNow
from hub.cli.output import say
from hub.cli.serving import (
    host_option,
    port_option,
    prepare,
    processes_option,
    starts,
    threads_option,
    warn_of_root,
)
from hub.fleet import door
from hub.fleet.installation import Busy, Installation
from hub.fleet.supervisor import CannotStart


@click.command("up")
@host_option
@port_option
@processes_option
@threads_option
@starts
def up(host: str, port: int, processes: int, threads: int) -> None:
    """Run everything: Redis if none is configured, web, workers and sweeper.

    At a socket that systemd has opened, if it has, and otherwise at --host and --port.
    """
    config = configured()
    warn_of_root()
    installation = Installation(config)
    try:
        with installation.only_one():
            opened = _opened(host, port)
            config = config.reached_by(f"http://{host}:{port}")
            first_login = prepare("--first-login")
            installation.start(opened, processes, threads)
            say(f"The hub runs at {config.public_url} (data in {config.data_dir}).")
            if first_login:
                say(f"Nobody can sign in yet. Make the first login here, once: {first_login}")
            installation.run()
    except Busy as error:
        raise NotNow(str(error)) from error
    except CannotStart as error:
        raise Broken(str(error)) from error


def _opened(host: str, port: int) -> Sequence[socket.socket]:
    try:
        return door.of_systemd() or [door.open_at(host, port)]
    except OSError as error:
        raise NotNow(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
