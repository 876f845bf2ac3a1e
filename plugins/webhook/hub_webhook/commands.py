"""``hub webhook-secret``."""

from __future__ import annotations

import base64
import secrets

import click

from hub_webhook.signing import PREFIX


@click.command("webhook-secret")
def webhook_secret() -> None:
    """Print a new signing secret."""
    click.echo(PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())
