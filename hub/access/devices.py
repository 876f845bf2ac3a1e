"""Known devices: browsers from which somebody has signed in before.

Such a browser has a signed cookie that stays after signing out. The cookie signs nobody in. But
failed sign-ins from a known device are counted on their own (``hub.access.throttle``).
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from hub import services


def cookie_of(email: str) -> str:
    """The cookie for a browser in which the user with this email has just signed in."""
    return _signer().dumps([email, secrets.token_urlsafe(16)])


def known(cookie: str | None, email: str) -> str | None:
    """The name of the device, if its cookie is valid and belongs to this email."""
    try:
        owner, name = _signer().loads(cookie or "", max_age=int(lifetime().total_seconds()))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(name) if owner == email else None


def lifetime() -> timedelta:
    """How long a device stays known without a sign-in."""
    return services.current().config.policies.lifetime.device


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="known device")
