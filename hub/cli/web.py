"""``hub web``."""

from __future__ import annotations

from functools import partial

import click

from hub.app import create_web_app
from hub.cli.application import application
from hub.cli.failure import Broken, NotNow
from hub.cli.looking import in_sentences, require_schema
from hub.cli.serving import host_option, port_option, starts, warn_of_root
from hub.fleet import door
from hub.fleet.web import PROCESSES, THREADS, CannotServe, Server, options


@click.command("web")
@host_option
@port_option
@click.option("--processes", type=int, default=PROCESSES, show_default=True)
@click.option("--threads", type=int, default=THREADS, show_default=True)
@starts
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Run the web server: the inbox, the API and the dashboard.

    At a socket that systemd has opened, if it has: then --host and --port count for nothing.
    """
    inherited = door.inherited()
    warn_of_root()
    with application().app_context(), in_sentences():
        require_schema()
    if not inherited and not door.is_of_systemd():
        try:
            inherited = [door.open_at(host, port).detach()]
        except OSError as error:
            raise NotNow(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    make = partial(application, create_web_app)
    try:
        Server(make, options(host, port, processes, threads, inherited)).run()
    except CannotServe as error:
        raise Broken(str(error)) from error
