"""``hub sources``."""

from __future__ import annotations

from typing import Any

import click

from hub.accounts import accounts, sources
from hub.cli.application import SecretCommand, of_secret, with_application
from hub.cli.output import json_option, show
from hub.inbox.sources import KINDS
from hub.models import Source


@click.group("sources")
def group() -> None:
    """Where events come from: the webhooks of your Chatwoot."""


@group.command("create", cls=SecretCommand)
@click.argument("account")
@click.option("--kind", type=click.Choice(sorted(KINDS)), default="chatwoot", show_default=True)
@click.option("--name", default="")
@click.option(
    "--signing-secret",
    callback=of_secret,
    help="The webhook's secret, as the sender shows it; @FILE, or - for standard input.",
)
@click.option("--base-url", help="Where people open Chatwoot, for links to conversations.")
@click.option("--allow-unsigned", is_flag=True, help="For Chatwoot before 4.11.2.")
@click.option("--external-account-id", help="The account's number there (Chatwoot before 4.14.2).")
@json_option
@with_application
def create(account: str, as_json: bool, **options: Any) -> None:
    """Create a source. Prints the address to enter as the webhook's URL."""
    show(_row(sources.create(accounts.find(account), **options)), as_json)


@group.command("update", cls=SecretCommand)
@click.argument("source", type=int)
@click.option("--signing-secret", callback=of_secret, help="@FILE, or - for standard input.")
@click.option("--base-url")
@click.option("--allow-unsigned/--require-signature", default=None)
@json_option
@with_application
def update(source: int, as_json: bool, **options: Any) -> None:
    """Change a source. After that, held requests can be released ('hub quarantine release')."""
    show(_row(sources.update(source, **options)), as_json)


@group.command("list")
@click.argument("account", required=False)
@json_option
@with_application
def list_(account: str | None, as_json: bool) -> None:
    """List the sources of an account, or all."""
    found = sources.listed(accounts.find(account) if account else None)
    show([_row(source) for source in found], as_json)


@group.command("show")
@click.argument("source", type=int)
@json_option
@with_application
def show_(source: int, as_json: bool) -> None:
    """Show one source."""
    show(_row(sources.find(source)), as_json)


def _switch(name: str, enabled: bool, help: str) -> None:
    @group.command(name, help=help)
    @click.argument("source", type=int)
    @json_option
    @with_application
    def switch(source: int, as_json: bool) -> None:
        show(_row(sources.update(source, enabled=enabled)), as_json)


_switch("enable", True, "Take webhooks again.")
_switch("disable", False, "Answer webhooks with 404.")


def _row(source: Source) -> dict[str, Any]:
    return {
        "id": source.id,
        "account_id": source.account_id,
        "kind": source.kind,
        "name": source.name,
        "enabled": source.enabled,
        "detail": sources.detail(source),
        "webhook_url": sources.webhook_url(source),
        "signing_secret_set": bool(source.signing_secret),
        "allow_unsigned": source.allow_unsigned,
        "base_url": source.base_url,
    }
