"""``hub db`` and ``hub keys``."""

from __future__ import annotations

import click

import migrations
from hub.accounts.rotation import rotate
from hub.cli.application import entered, with_application
from hub.cli.output import json_option, say, show
from hub.config import new_encryption_key
from hub.database import db


@click.group("db")
def group() -> None:
    """The database."""


@group.command("upgrade")
def upgrade() -> None:
    """Bring the schema to this version."""
    with entered():
        before = migrations.current(db.engine)
        migrations.upgrade(db.engine)
        after = migrations.current(db.engine)
    say(f"The schema is at {after}." if before == after else f"Upgraded to {after}.")


@group.command("current")
@json_option
def current(as_json: bool) -> None:
    """Show the schema's version and the one that the code needs."""
    with entered():
        show({"current": migrations.current(db.engine), "needed": migrations.newest()}, as_json)


@click.group("keys")
def keys() -> None:
    """The keys that encrypt secrets at rest."""


@keys.command("generate")
def generate() -> None:
    """Print a new key. Put it first in HUB_ENCRYPTION_KEYS, then run 'hub keys rotate'."""
    click.echo(new_encryption_key())


@keys.command("rotate")
@json_option
@with_application
def rotate_(as_json: bool) -> None:
    """Encrypt every stored secret with the first key; older keys can be removed then."""
    show({"rotated": rotate()}, as_json)
