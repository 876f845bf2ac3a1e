"""``hub users``."""

from __future__ import annotations

from typing import Any

import click

from hub.access import invitations, members, users
from hub.accounts import accounts
from hub.cli.application import with_application
from hub.cli.failure import Failure
from hub.cli.output import json_option, show
from hub.models import Role, User

_COLUMNS = ("id", "email", "name", "administrator", "accounts")


@click.group("users")
def group() -> None:
    """People who may sign in."""


@group.command("list")
@json_option
@with_application
def list_(as_json: bool) -> None:
    """List the users."""
    show([_row(user) for user in users.listed()], as_json, columns=_COLUMNS)


@group.command("invite")
@click.option("--administrator", is_flag=True, help="May do everything in every account.")
@click.option("--account", help="The account to join.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="viewer")
@click.option("--email", help="Only this person may use the link.")
@json_option
@with_application
def invite(
    administrator: bool, account: str | None, role: str, email: str | None, as_json: bool
) -> None:
    """Print a link by which somebody signs up, once."""
    link = invitations.create(
        email=email,
        administrator=administrator,
        account_id=accounts.find(account).id if account else None,
        role=Role(role) if account else None,
    )
    show({"link": link}, as_json)


@group.command("password")
@click.argument("email")
@json_option
@with_application
def password(email: str, as_json: bool) -> None:
    """Print a link by which a user sets a new password, once."""
    user = users.of_email(email)
    if user is None:
        raise Failure(f"There is no user {email}.")
    show({"link": invitations.new_password(user.id)}, as_json)


def _row(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "administrator": user.administrator,
        "accounts": [account.name for account in members.accounts_of(user)],
    }
