"""Accounts: the choice of one, a new one, and its settings."""

from __future__ import annotations

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access import identity, members
from hub.access.gate import Open, needs
from hub.access.permissions import Permission
from hub.accounts import accounts
from hub.dashboard.blueprint import account, blueprint, done
from hub.dashboard.languages import gettext
from hub.errors import Refused
from hub.models import Role

Page = str | tuple[str, int] | Response


@blueprint.get("/accounts")
@needs(Open.TO_USERS)
def account_list() -> Page:
    """The accounts that this person may enter."""
    return render_template("account_list.html", mine=members.accounts_of(identity.current().user))


@blueprint.route("/accounts/new", methods=["GET", "POST"])
@needs(Permission.ADMINISTER)
def account_new() -> Page:
    """Make an account."""
    if request.method == "GET":
        return render_template("account_new.html", values={})
    try:
        made = accounts.create(
            request.form.get("name", ""), request.form.get("default_region") or None
        )
    except Refused as error:
        page = render_template("account_new.html", values=request.form, problem=str(error))
        return page, 400
    members.add(made.id, identity.current().user.id, Role.OWNER)
    return done(gettext("Account created. Now connect Chatwoot."), "home", account_id=made.id)


@blueprint.route("/accounts/<int:account_id>/settings", methods=["GET", "POST"])
@needs(Permission.OWN)
def account_settings(account_id: int) -> Page:
    """Name, country and features of an account."""
    if request.method == "GET":
        return _settings_page()
    try:
        accounts.update(
            account_id,
            name=request.form.get("name", ""),
            default_region=request.form.get("default_region", ""),
            features=request.form.get("features", "").split(),
        )
    except Refused as error:
        return _settings_page(str(error)), 400
    return done(gettext("Saved."), "account_settings", account_id=account_id)


@blueprint.post("/accounts/<int:account_id>/delete")
@needs(Permission.OWN)
def account_delete(account_id: int) -> Page:
    """Delete an account without connections."""
    accounts.remove(account_id)
    return done(gettext("Account deleted."), "account_list")


def _settings_page(problem: str = "") -> str:
    present = account()
    values = request.form or {
        "name": present.name,
        "default_region": present.default_region or "",
        "features": " ".join(present.features),
    }
    return render_template(
        "account_settings.html", section="account_settings", values=values, problem=problem
    )
