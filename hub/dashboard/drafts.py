"""What was entered into a form and could not be saved, kept while a person works on it.

A draft may hold secrets. It stands encrypted in Redis, for this sign-in only and for half an hour;
secrets never go back to the browser. When it is lost, they are typed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from flask import request, session
from redis.exceptions import RedisError

from hub import log, services
from hub.accounts.setup import SetupReport, Step
from hub.dashboard.blueprint import SESSION_KEY
from hub.security.encryption import Undecryptable, digest

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """The settings as they were entered, the form's other fields, and what was wrong."""

    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: str = ""
    report: SetupReport | None = None

    def keep(self, path: str = "") -> None:
        """Keep it for the form, or page, at this path; for the present one if none is given."""
        told = json.dumps(asdict(self), default=dict)
        try:
            found = services.current()
            lifetime = found.config.policies.lifetime.draft
            found.redis.set(_key(path), found.keyring.encrypt(told), ex=lifetime)
        except RedisError:
            _log.warning("Redis is not available; what was entered is not kept")

    @classmethod
    def kept(cls) -> Self | None:
        """The draft of the form that the present request is about, if there is one."""
        try:
            stored: Any = services.stores().redis.get(_key())
            told = (
                json.loads(services.current().keyring.decrypt(stored.decode())) if stored else None
            )
        except (RedisError, Undecryptable):
            return None
        if told is None:
            return None
        if told["report"] is not None:
            steps = [Step(**step) for step in told["report"].pop("steps")]
            told["report"] = SetupReport(**told["report"], steps=steps)
        return cls(**told)


def drop() -> None:
    """Forget the draft of the form that the present request is about."""
    try:
        services.stores().redis.delete(_key())
    except RedisError:
        _log.warning("Redis is not available; a draft ends by itself")


def _key(path: str = "") -> str:
    """Of this sign-in and this form."""
    return f"{{hub}}:draft:{digest(session[SESSION_KEY] + (path or request.path))}"
