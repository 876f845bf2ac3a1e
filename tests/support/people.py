"""People who use the dashboard, each with a browser of their own."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from hub.access import invitations, sessions
from hub.dashboard.blueprint import SESSION_KEY
from hub.models import Role

PASSWORD = "a sentence that nobody guesses"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Person:
    """Somebody with a browser."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        #: What the forms of this browser's session carry; they are the same in all of them.
        self._form_token: str | None = None

    def sign_up(self, link: str, email: str, name: str = "") -> Person:
        """Use an invitation, at its page."""
        path = "/" + link.split("/", 3)[3]
        answer = self.post(path, email=email, name=name or email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return self

    def is_signed_up(self, link: str, email: str, name: str = "") -> Person:
        """What ``sign_up`` leads to, without the pages."""
        app = self.client.application
        with app.test_request_context():
            user = invitations.sign_up(
                link.rpartition("/")[2], email=email, name=name or email, password=PASSWORD
            )
            token = sessions.begin(user.id, "127.0.0.1", "tests")
            self._form_token = generate_csrf()
            of_forms = session["csrf_token"]
        with self.client.session_transaction() as cookie:
            cookie[SESSION_KEY] = token
            cookie["csrf_token"] = of_forms
            cookie.permanent = True
        return self

    def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
        return self.post("/sign-in", email=email, password=password, **more)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **options)

    def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    def post(self, path: str, **fields: Any) -> TestResponse:
        """Send a form, with the token that a page with one would carry."""
        if self._form_token is None:
            found = _TOKEN.search(self.get("/sign-in", follow_redirects=True).text)
            assert found is not None
            self._form_token = found[1]
        answer = self.client.post(path, data={"csrf_token": self._form_token, **fields})
        if path.startswith(("/sign-in", "/sign-out", "/invitation/")):
            self._form_token = None  # another session may have begun
        return answer

    def does(self, path: str, **fields: Any) -> str:
        """Send a form that must be taken, and return the page that follows."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, (path, answer.status_code, answer.text)
        shown = self.get(answer.location, follow_redirects=True)
        assert shown.status_code == 200, (answer.location, shown.status_code, shown.text)
        return shown.text


def administrator(app: Flask) -> Person:
    """The first administrator."""
    with app.app_context():
        link = invitations.first_administrator()
    assert link is not None
    return Person(app).is_signed_up(link, "root@example.com", "Root")


def member(app: Flask, account_id: int, role: Role, email: str = "") -> Person:
    """A member of the account."""
    with app.app_context():
        link = invitations.create(account_id=account_id, role=role)
    return Person(app).is_signed_up(link, email or f"{role}{account_id}@example.com")
