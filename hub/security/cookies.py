"""The dashboard's sessions, in a signed cookie."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class CookieSessions(SecureCookieSessionInterface):
    """Flask's own. A request without cookies, as every webhook is, has nothing to verify: it gets
    an empty session without the tools for that, which cost more than finding its route."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """See Flask."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)
