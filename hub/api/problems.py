"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from hub.accounts.proving import NotProven
from hub.api.schemas.hooks import Report
from hub.errors import (
    Changed,
    InvalidSettings,
    NotFound,
    Refused,
)

PREFIX = "/api/"
TYPE = "application/problem+json"


class Invalid(Exception):
    """What was sent does not fit: for each field, what is wrong with it."""

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__("What was sent does not fit.")
        self.errors = errors


def init_app(app: Flask) -> None:
    """Answer errors of the API as problems, also where no operation was found."""

    @app.errorhandler(HTTPException)
    def error(error: HTTPException) -> Any:
        if not request.path.startswith(PREFIX):
            return error
        answer = problem(error.code or 500, error.description or "")
        kept = ("Allow", "WWW-Authenticate", "Retry-After")
        for name, value in error.get_headers(request.environ):
            if name in kept:
                answer.headers[name] = value
        if error.code == HTTPStatus.UNAUTHORIZED:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def of(error: Exception) -> Response:
    """The answer for what the core or the validation refused."""
    if isinstance(error, Invalid):
        return problem(400, str(error), errors=error.errors)
    if isinstance(error, InvalidSettings):
        return problem(400, str(error), errors={"settings": dict(error.fields)})
    if isinstance(error, NotProven):
        return problem(422, str(error), report=Report().dump(error.report))
    if isinstance(error, NotFound):
        return problem(404, str(error))
    if isinstance(error, Changed):
        return problem(412, str(error))
    assert isinstance(error, Refused)
    return problem(409, str(error))


def problem(status: int, detail: str, **more: Any) -> Response:
    """A problem; its type is the status itself."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(json.dumps(body), status, mimetype=TYPE)
