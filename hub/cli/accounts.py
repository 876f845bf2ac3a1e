"""``hub accounts``."""

from __future__ import annotations

from typing import Any

import click

from hub.accounts import accounts
from hub.cli.application import with_application
from hub.cli.output import json_option, show
from hub.models import Account


@click.group("accounts")
def group() -> None:
    """The tenants: one for each team."""


@group.command("create")
@click.argument("name")
@click.option("--region", help="Country of phone numbers without a country code, such as FR.")
@click.option("--feature", "features", multiple=True, help="A feature flag to switch on.")
@json_option
@with_application
def create(name: str, region: str | None, features: tuple[str, ...], as_json: bool) -> None:
    """Make an account."""
    show(_row(accounts.create(name, region, features)), as_json)


@group.command("list")
@json_option
@with_application
def list_(as_json: bool) -> None:
    """List the accounts."""
    show([_row(account) for account in accounts.listed()], as_json)


@group.command("feature")
@click.argument("account")
@click.argument("feature")
@click.option("--on/--off", default=True, show_default=True)
@json_option
@with_application
def feature(account: str, feature: str, on: bool, as_json: bool) -> None:
    """Switch a feature of an account on or off; plugins that need it are owed nothing without."""
    found = accounts.find(account)
    others = [name for name in found.features if name != feature]
    show(_row(accounts.update(found.id, features=[*others, feature] if on else others)), as_json)


def _row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "default_region": account.default_region,
        "features": account.features,
    }
