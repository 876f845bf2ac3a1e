"""The dashboard's sessions, in a signed cookie."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class CookieSessions(SecureCookieSessionInterface):
    """Flask's sessions, but a request without cookies gets an empty one at once. Webhooks carry no
    cookies, and making the signer costs more than finding the route."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """See Flask."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)
