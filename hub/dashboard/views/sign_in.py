"""Signing in and out, and one-time links."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub import audit
from hub.access import (
    devices,
    identity,
    invitations,
    members,
    sessions,
    users,
)
from hub.access.gate import Open, needs
from hub.access.throttle import TooManyTries
from hub.dashboard import languages
from hub.dashboard.blueprint import SESSION_KEY, blueprint, done, local_path
from hub.errors import Refused
from hub.models import Invitation, User

Page = str | tuple[str, int] | Response


@blueprint.get("/")
@needs(Open.TO_ALL)
def start() -> Page:
    """The way in: to the account, to the choice of one, or to the sign-in."""
    someone = identity.known()
    if someone is None:
        return redirect(url_for("dashboard.sign_in"), 303)
    mine = members.accounts_of(someone.user)
    if len(mine) == 1:
        return redirect(url_for("dashboard.home", account_id=mine[0].id), 303)
    return redirect(url_for("dashboard.account_list"), 303)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@needs(Open.TO_ALL)
def sign_in() -> Page:
    """Ask for email and password."""
    onward = local_path(request.values.get("next")) or url_for("dashboard.start")
    if request.method == "GET":
        if identity.known() is not None:
            return redirect(onward, 303)
        return render_template("sign_in.html", onward=onward, anybody=users.anybody())
    try:
        user, token = sessions.sign_in(
            request.form.get("email", ""),
            request.form.get("password", ""),
            _address(),
            _agent(),
            request.cookies.get(_device_cookie()),
        )
    except Refused as error:
        code = 429 if isinstance(error, TooManyTries) else 401
        page = render_template(
            "sign_in.html",
            onward=onward,
            anybody=True,
            problem=str(error),
            email=request.form.get("email", ""),
        )
        return page, code
    _enter(token)
    return _known_here(redirect(onward, 303), user)


@blueprint.post("/sign-out")
@needs(Open.TO_USERS)
def sign_out() -> Page:
    """End the present session."""
    someone = identity.current()
    if someone.session_id is not None:
        sessions.end(someone.user.id, someone.session_id)
    session.clear()
    return done(languages.gettext("You are signed out."), "sign_in")


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
@needs(Open.TO_ALL)
def invitation(token: str) -> Page:
    """A one-time link: sign up, join an account, or set a new password."""
    found = invitations.find(token)
    someone = identity.known()
    if request.method == "GET":
        return render_template("invitation.html", invitation=found, values={})
    # Whoever has the link is known by what it is for, or by what is entered.
    actor = someone.user.email if someone else found.email or request.form.get("email", "")[:254]
    try:
        with audit.acting(audit.Actor(f"by link: {actor}".strip(), None, _address())):
            user = _use(token, found)
    except Refused as error:
        page = render_template(
            "invitation.html", invitation=found, problem=str(error), values=request.form
        )
        return page, 400
    welcome = done(languages.gettext("Welcome."), "start")
    if user is None:
        return welcome
    _enter(sessions.begin(user.id, _address(), _agent()))
    return _known_here(welcome, user)


@blueprint.post("/language")
@needs(Open.TO_ALL)
def choose_language() -> Page:
    """Choose a language before signing in."""
    if (chosen := request.form.get("language")) in languages.LANGUAGES:
        session["language"] = chosen
    return redirect(local_path(request.form.get("next")) or url_for("dashboard.start"), 303)


def _use(token: str, found: Invitation) -> User | None:
    """Do what the link is for; returns who is to be signed in."""
    someone = identity.known()
    form = request.form
    if found.user_id is not None:
        return invitations.set_password(token, form.get("password", ""))
    if someone is not None:
        invitations.accept(token, someone.user)
        return None
    return invitations.sign_up(
        token,
        email=form.get("email", ""),
        name=form.get("name", ""),
        password=form.get("password", ""),
    )


def _enter(token: str) -> None:
    # A new cookie for the signed-in person: nothing that was planted before survives.
    language = session.get("language")
    session.clear()
    session[SESSION_KEY] = token
    session.permanent = True
    if language:
        session["language"] = language


def _known_here(answer: Response, user: User) -> Response:
    """Let the browser tell from now on that this person has been here."""
    answer.set_cookie(
        _device_cookie(),
        devices.cookie_of(user.email),
        max_age=devices.lifetime(),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer


def _device_cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"


def _address() -> str:
    return request.remote_addr or ""


def _agent() -> str:
    return request.headers.get("User-Agent", "")
