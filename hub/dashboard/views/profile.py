"""A person's own page: name, language, time zone, password, sessions."""

from __future__ import annotations

import zoneinfo

from flask import render_template, request, session
from werkzeug.wrappers import Response

from hub.access import identity, sessions, users
from hub.access.gate import Open, needs
from hub.dashboard import languages
from hub.dashboard.blueprint import blueprint, done
from hub.dashboard.languages import gettext
from hub.errors import Refused

Page = str | tuple[str, int] | Response


@blueprint.get("/profile")
@needs(Open.TO_USERS)
def profile() -> Page:
    """Who this person is to the hub."""
    return _page()


@blueprint.post("/profile")
@needs(Open.TO_USERS)
def profile_update() -> Page:
    """Change name, language, time zone and theme."""
    form = request.form
    try:
        users.update(
            identity.current().user.id,
            name=form.get("name", ""),
            language=_one_of(form.get("language"), languages.LANGUAGES),
            timezone=form.get("timezone") or None,
            theme=_one_of(form.get("theme"), ("light", "dark")),
        )
    except Refused as error:
        return _page(problem=str(error)), 400
    return done(gettext("Saved."), "profile")


@blueprint.post("/profile/password")
@needs(Open.TO_USERS)
def password_change() -> Page:
    """Set a new password, which ends all other sessions."""
    someone = identity.current()
    try:
        users.change_password(
            someone.user.id,
            request.form.get("old", ""),
            request.form.get("new", ""),
            keep_session=someone.session_id,
        )
    except Refused as error:
        return _page(password_problem=str(error)), 400
    return done(gettext("Password changed. Other browsers are signed out."), "profile")


@blueprint.post("/profile/sessions/<int:session_id>/end")
@needs(Open.TO_USERS)
def session_end(session_id: int) -> Page:
    """Sign one browser out."""
    sessions.end(identity.current().user.id, session_id)
    return done(gettext("That browser is signed out."), "profile")


@blueprint.post("/profile/sessions/end")
@needs(Open.TO_USERS)
def sessions_end() -> Page:
    """Sign out everywhere, here too."""
    sessions.end_all(identity.current().user.id)
    session.clear()
    return done(gettext("You are signed out everywhere."), "sign_in")


def _page(problem: str = "", password_problem: str = "") -> str:
    someone = identity.current()
    return render_template(
        "profile.html",
        sessions=sessions.listed(someone.user.id),
        zones=[(zone, zone) for zone in sorted(zoneinfo.available_timezones())],
        problem=problem,
        password_problem=password_problem,
    )


def _one_of(value: str | None, known: object) -> str | None:
    return value if value in known else None  # type: ignore[operator]
