"""``hub prepare``: what must be done before the processes of a hub start."""

from __future__ import annotations

import click

from hub.access import invitations
from hub.cli.application import with_application
from hub.cli.serving import starts


@click.command("prepare", hidden=True)
@click.option("--first-login", is_flag=True, help="Print the first administrator's link.")
@starts
@with_application
def prepare(first_login: bool) -> None:
    """Make the schema, or see that it is the right one."""
    if first_login and (link := invitations.first_administrator()) is not None:
        click.echo(link)
