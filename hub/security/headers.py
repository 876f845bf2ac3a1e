"""Response headers that tell browsers to be strict."""

from __future__ import annotations

from flask import Flask, Response, request

#: No inline scripts or styles, and nothing from other sites.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ONE_YEAR = 365 * 24 * 3600


def init_app(app: Flask, *, https: bool) -> None:
    """Set the headers on every answer. With ``https``, browsers are told to use HTTPS only."""
    always = dict(_HEADERS)
    if https:
        always["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"
    unless_static = {**always, "Cache-Control": "no-store"}

    @app.after_request
    def add(response: Response) -> Response:
        is_static = request.endpoint is not None and request.endpoint.endswith("static")
        given = {name.lower() for name, _ in response.headers}
        response.headers.extend(
            (name, value)
            for name, value in (always if is_static else unless_static).items()
            if name.lower() not in given
        )
        return response
