"""States in which a GLPI server answers wrongly, as seen on 10.0.14 (trap 1, sessions table)."""

from __future__ import annotations

from typing import Any, Literal, get_args

from hub.sdk.testing.simulator import Fault, Response
from hub_glpi.simulator.errors import ApiError

ServerState = Literal[
    "up",
    "maintenance",
    "database_down",
    "not_configured",
    "api_disabled",
    "token_login_disabled",
    "address_not_allowed",
    "fatal",
]
"""``token_login_disabled`` and ``api_disabled`` are settings of GLPI's administrator;
``address_not_allowed`` is also what an inactive API client looks like; ``fatal`` is a PHP error on
every request (200, empty)."""

SERVER_STATES: tuple[str, ...] = get_args(ServerState)
_TITLES = {
    "maintenance": "MAINTENANCE MODE",
    "database_down": "Mysql Error",
    "not_configured": "Missing configuration",
    "login": "Authentication",
    "documentation": "API Documentation",
}


def page(kind: str, *, title_first: bool = True) -> str:
    """An HTML page of GLPI by its kind; 9.5 has the product's name first."""
    title = _TITLES[kind]
    title = f"{title} - GLPI" if title_first else f"GLPI - {title}"
    return (
        '\n<!DOCTYPE html>\n<html lang="en">\n<head>\n'
        f'   <title>{title}</title>\n   <meta charset="utf-8" />\n</head>\n'
        f"<body><main><h1>{_TITLES[kind]}</h1></main></body>\n</html>\n"
    )


def fatal_answer() -> Response:
    """What a PHP fatal error leaves: 200 and nothing."""
    return Response.of_html("")


def answer_in(state: str, client_address: str) -> Response | None:
    """What every request gets in a state, before anything is looked at; None when it goes on."""
    if state in ("maintenance", "database_down", "not_configured"):
        return Response.of_html(page(state))
    if state == "fatal":
        return fatal_answer()
    if state == "api_disabled":
        raise ApiError(400, "ERROR", "API disabled")
    if state == "address_not_allowed":
        raise ApiError(
            400,
            "ERROR_NOT_ALLOWED_IP",
            "There isn't an active API client matching your IP address in the configuration "
            f"({client_address})",
        )
    return None


def maintenance(**rule: Any) -> Fault:
    """Some requests meet the maintenance page. ``rule``: fields of ``Fault``."""
    return Fault(kind="html", body=page("maintenance"), **rule)


def database_down(**rule: Any) -> Fault:
    """Some requests meet the page of a server without its database."""
    return Fault(kind="html", body=page("database_down"), **rule)


def php_fatal(**rule: Any) -> Fault:
    """Some requests end in a PHP error; ``applied=True``: after they took effect."""
    return Fault(kind="empty", **rule)


def session_expired(**rule: Any) -> Fault:
    """Some requests find their session gone, though it is not."""
    return Fault(
        kind="status",
        status=401,
        body='["ERROR_SESSION_TOKEN_INVALID","session_token seems invalid"]',
        content_type="application/json; charset=UTF-8",
        **rule,
    )
