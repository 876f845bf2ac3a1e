"""People and programs: members, invitations, users, API tokens, and the audit log."""

from __future__ import annotations

from flask import abort, render_template, request
from werkzeug.wrappers import Response

from hub import audit
from hub.access import (
    identity,
    invitations,
    members,
    tokens,
    users,
)
from hub.access.gate import needs
from hub.access.permissions import OF_ROLE, Permission
from hub.dashboard.blueprint import blueprint, done, positive
from hub.dashboard.languages import gettext
from hub.errors import Refused
from hub.models import Role

Page = str | tuple[str, int] | Response


@blueprint.get("/accounts/<int:account_id>/members")
@needs(Permission.OWN)
def member_list(account_id: int) -> Page:
    """Members and open invitations."""
    return _members(account_id)


@blueprint.post("/accounts/<int:account_id>/members/invite")
@needs(Permission.OWN)
def member_invite(account_id: int) -> Page:
    """Make an invitation; its link is shown once."""
    try:
        link = invitations.create(
            email=request.form.get("email", "").strip() or None,
            account_id=account_id,
            role=_role(),
        )
    except Refused as error:
        return _members(account_id, problem=str(error)), 400
    return _members(account_id, link=link)


@blueprint.post("/accounts/<int:account_id>/invitations/<int:invitation_id>/withdraw")
@needs(Permission.OWN)
def invitation_withdraw(account_id: int, invitation_id: int) -> Page:
    """End an invitation."""
    invitations.withdraw(invitation_id)
    return done(gettext("Invitation withdrawn."), "member_list", account_id=account_id)


@blueprint.post("/accounts/<int:account_id>/members/<int:member_id>/role")
@needs(Permission.OWN)
def member_role(account_id: int, member_id: int) -> Page:
    """Change a member's role."""
    members.set_role(account_id, member_id, _role())
    return done(gettext("Saved."), "member_list", account_id=account_id)


@blueprint.post("/accounts/<int:account_id>/members/<int:member_id>/remove")
@needs(Permission.OWN)
def member_remove(account_id: int, member_id: int) -> Page:
    """Take a member out of the account."""
    members.remove(account_id, member_id)
    return done(gettext("Member removed."), "member_list", account_id=account_id)


@blueprint.route("/accounts/<int:account_id>/tokens", methods=["GET", "POST"])
@needs(Permission.OWN)
def token_list(account_id: int) -> Page:
    """API tokens of the account; a new one is shown once."""
    if request.method == "GET":
        return _tokens(account_id)
    days = request.form.get("days", "").strip()
    try:
        if days and not (days.isascii() and days.isdecimal() and len(days) < 6):
            raise Refused(
                gettext("The lifetime must be a whole number of days, or empty for none.")
            )
        someone, scopes = identity.current(), request.form.getlist("scopes")
        lifetime = int(days) if days else None
        tokens.require_within(someone, scopes, lifetime, account_id)
        _, secret = tokens.create(
            someone.user.id,
            request.form.get("name", ""),
            scopes,
            account_id=account_id,
            days=lifetime,
        )
    except Refused as error:
        return _tokens(account_id, problem=str(error)), 400
    return _tokens(account_id, secret=secret)


@blueprint.post("/accounts/<int:account_id>/tokens/<int:token_id>/revoke")
@needs(Permission.OWN)
def token_revoke(account_id: int, token_id: int) -> Page:
    """End a token."""
    tokens.revoke(token_id)
    return done(gettext("Token revoked."), "token_list", account_id=account_id)


@blueprint.get("/accounts/<int:account_id>/audit")
@needs(Permission.OWN)
def audit_log(account_id: int) -> Page:
    """Who changed what in the account."""
    return _audit(account_id)


@blueprint.get("/audit")
@needs(Permission.ADMINISTER)
def audit_log_of_all() -> Page:
    """Who changed what in the whole installation."""
    return _audit(None)


@blueprint.get("/users")
@needs(Permission.ADMINISTER)
def user_list() -> Page:
    """All users of this hub."""
    return _users()


@blueprint.post("/users/invite")
@needs(Permission.ADMINISTER)
def user_invite() -> Page:
    """Invite somebody to the hub, as an administrator perhaps."""
    try:
        link = invitations.create(
            email=request.form.get("email", "").strip() or None,
            administrator=request.form.get("administrator") == "true",
        )
    except Refused as error:
        return _users(problem=str(error)), 400
    return _users(link=link)


@blueprint.post("/users/<int:user_id>/password")
@needs(Permission.ADMINISTER)
def user_password(user_id: int) -> Page:
    """Make a link by which a user sets a new password."""
    return _users(link=invitations.new_password(user_id))


@blueprint.post("/users/<int:user_id>/administrator")
@needs(Permission.ADMINISTER)
def user_administrator(user_id: int) -> Page:
    """Make somebody an administrator, or no longer."""
    users.set_administrator(user_id, request.form.get("administrator") == "true")
    return done(gettext("Saved."), "user_list")


@blueprint.post("/users/<int:user_id>/remove")
@needs(Permission.ADMINISTER)
def user_remove(user_id: int) -> Page:
    """Delete a user."""
    users.remove(user_id)
    return done(gettext("User deleted."), "user_list")


def _members(account_id: int, link: str = "", problem: str = "") -> str:
    return render_template(
        "member_list.html",
        section="member_list",
        members=members.listed(account_id),
        invitations=invitations.listed(account_id),
        roles=list(Role),
        link=link,
        link_lifetime=invitations.lifetime().total_seconds(),
        problem=problem,
    )


def _tokens(account_id: int, secret: str = "", problem: str = "") -> str:
    return render_template(
        "token_list.html",
        section="token_list",
        tokens=[
            (token, users.find(token.user_id)) for token in tokens.listed(account_id=account_id)
        ],
        scopes=sorted(OF_ROLE[Role.OWNER]),
        secret=secret,
        problem=problem,
    )


def _audit(account_id: int | None) -> str:
    return render_template(
        "audit.html",
        section="audit_log",
        entries=audit.listed(account_id, before=positive("before")),
        page=audit.PAGE,
    )


def _users(link: str = "", problem: str = "") -> str:
    return render_template(
        "user_list.html",
        section="user_list",
        users=users.listed(),
        link=link,
        link_lifetime=invitations.lifetime().total_seconds(),
        problem=problem,
    )


def _role() -> Role:
    text = request.form.get("role", "")
    if text not in list(Role):
        abort(400)
    return Role(text)
