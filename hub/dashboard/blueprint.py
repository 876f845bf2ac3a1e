"""What all pages share: who is signed in, the frame around the page, and pages for errors."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.wrappers import Response

from hub import __version__
from hub.access import gate, identity, members, sessions
from hub.access.identity import Identity
from hub.access.permissions import Permission
from hub.accounts import accounts
from hub.dashboard import languages
from hub.errors import (
    NotFound,
    Refused,
)
from hub.models import Account

blueprint = Blueprint(
    "dashboard",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
csrf = CSRFProtect()

#: Bytes that a form may have.
LARGEST_FORM = 256 * 1024
#: Where the session's token stands in Flask's signed cookie.
SESSION_KEY = "session"


def _identify() -> Identity | None:
    token = session.get(SESSION_KEY)
    return sessions.identify(token) if isinstance(token, str) else None


@gate.needs(gate.Open.TO_ALL)
def _send_static_file(filename: str) -> Response:
    return blueprint.send_static_file(filename)


gate.guard(blueprint, _identify)


@blueprint.before_request
def _protect() -> None:
    request.max_content_length = LARGEST_FORM
    csrf.protect()
    if "account_id" in (request.view_args or {}):
        account()  # every page below an account shows it
    # PostgreSQL cannot store NUL characters, and nobody types them.
    if any("\x00" in text for values in (request.args, request.form) for text in values.values()):
        abort(400)


@blueprint.record_once
def _open_static(state: Any) -> None:
    # Flask adds the view for static files by itself; pages for everybody need them.
    state.app.view_functions["dashboard.static"] = _send_static_file


@blueprint.context_processor
def _frame() -> dict[str, Any]:
    someone = identity.known()
    account = present_account()
    return {
        "version": __version__,
        "identity": someone,
        "account": account,
        "accounts": members.accounts_of(someone.user) if someone else [],
        "may": _may,
        "Permission": Permission,
        "language": languages.current(),
        "languages": languages.LANGUAGES,
        "theme": (someone.user.theme if someone else None) or "auto",
    }


def present_account() -> Account | None:
    """The account that the URL names, if it exists and the person may know that it does."""
    if "account" not in g:
        account_id, someone = (request.view_args or {}).get("account_id"), identity.known()
        g.account = None
        if account_id is not None and someone is not None and someone.sees(account_id):
            g.account = accounts.existing(account_id)
    account: Account | None = g.account
    return account


def account() -> Account:
    """The account that the URL names; only for views below ``/accounts/<account_id>``."""
    found = present_account()
    if found is None:  # deleted since the gate has let this request pass
        abort(404)
    return found


def _may(permission: Permission) -> bool:
    someone = identity.known()
    account_id = (request.view_args or {}).get("account_id")
    return someone is not None and someone.may(permission, account_id)


def done(sentence: str, endpoint: str, **names: Any) -> Response:
    """Go to a page and say there what was done."""
    flash(sentence, "ok")
    return redirect(url_for(f"dashboard.{endpoint}", **names), 303)


def refused(sentence: str, endpoint: str, **names: Any) -> Response:
    """Go to a page and say there why something was not done."""
    flash(sentence, "bad")
    return redirect(url_for(f"dashboard.{endpoint}", **names), 303)


@blueprint.errorhandler(Unauthorized)
def _sign_in_first(_: Unauthorized) -> Response:
    return redirect(url_for("dashboard.sign_in", next=request.full_path.rstrip("?")), 303)


@blueprint.errorhandler(CSRFError)
def _form_too_old(_: CSRFError) -> tuple[str, int]:
    sentence = languages.gettext("This form is too old. Go back, reload the page and try again.")
    return render_template("error.html", code=400, sentence=sentence), 400


@blueprint.errorhandler(NotFound)
def _not_found(error: NotFound) -> tuple[str, int]:
    return render_template("error.html", code=404, sentence=str(error)), 404


@blueprint.errorhandler(Refused)
def _refused(error: Refused) -> tuple[str, int]:
    return render_template("error.html", code=409, sentence=str(error)), 409


@blueprint.errorhandler(StaleDataError)
def _outrun(_: StaleDataError) -> tuple[str, int]:
    sentence = languages.gettext(
        "Somebody else has changed this at the same time. Check it and try again."
    )
    return render_template("error.html", code=409, sentence=sentence), 409


@blueprint.errorhandler(HTTPException)
def _error(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400:
        return error
    sentences = {
        403: languages.gettext("You can see this account, but you cannot change this."),
        404: languages.gettext(
            "This page does not exist, or it belongs to an account that you cannot see."
        ),
        405: languages.gettext("This address does not accept such a request."),
        413: languages.gettext("The form is too large."),
    }
    sentence = sentences.get(code, languages.gettext("Something went wrong."))
    return render_template("error.html", code=code, sentence=sentence), code


def local_path(path: str | None) -> str | None:
    """The path, if it leads to a page of the hub and nowhere else."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path if path.isprintable() and "\\" not in path else None


def positive(name: str) -> int | None:
    """A whole number of the query, or ``None`` where it is absent.

    :raises BadRequest: it is no such number.
    """
    text = request.args.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        abort(400)
    return int(text)
