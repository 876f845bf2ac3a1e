"""Signing in to GLPI and out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from hub.sdk import CallContext, RetryLater
from hub_glpi import sentences
from hub_glpi.api.answers import read_answer

#: Zones differ from UTC by multiples of this many seconds; what is left over is a wrong clock.
_ZONE_STEP = 900
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Token:
    """A session token, and how many seconds GLPI's clock was ahead of UTC when it was given.

    The offset travels with the token because it changes with daylight saving time: what a setup
    learned in winter is wrong in summer.
    """

    value: str
    clock_offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``__str__`` wrote."""
        value, _, offset = text.partition(" ")
        return cls(value, int(offset or 0))

    def __str__(self) -> str:
        return f"{self.value} {self.clock_offset}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: its token, and what GLPI told about it."""

    token: Token
    facts: Mapping[str, Any]


def sign_in(context: CallContext) -> SignedIn:
    """Open a session, and learn user, profile, entities and clock in the same call.

    :raises NeedsAttention: a credential is wrong or the API is switched off.
    :raises RetryLater: GLPI cannot answer now.
    """
    response = context.http.get(
        _address(context.settings, "initSession"),
        params={"get_full_session": "true"},
        headers={
            **app_headers(context.settings),
            "Authorization": f"user_token {context.settings['user_token']}",
        },
    )
    body = read_answer(response, dict, signing_in=True).body
    value, facts = body.get("session_token"), body.get("session")
    if not isinstance(value, str) or not value:
        raise RetryLater(sentences.NOT_GLPI.format(status=response.status_code))
    facts = facts if isinstance(facts, dict) else {}
    offset = clock_difference(facts, context.clock.now())
    return SignedIn(Token(value, round(offset / _ZONE_STEP) * _ZONE_STEP), facts)


def sign_out(context: CallContext, token: str) -> None:
    """Close a session. One that GLPI has forgotten (401) is as good as closed."""
    context.http.get(
        _address(context.settings, "killSession"),
        headers=signed_in_headers(context.settings, token),
    )


def clock_difference(facts: Mapping[str, Any], now: datetime) -> float:
    """Seconds by which GLPI's clock reads more than UTC; 0 if it does not tell."""
    try:
        theirs = datetime.strptime(str(facts.get("glpi_currenttime")), _TIME_FORMAT)
    except ValueError:
        return 0.0
    return (theirs.replace(tzinfo=UTC) - now).total_seconds()


@dataclass(frozen=True, slots=True)
class GivenSession:
    """Implements ``hub.sdk.BorrowedSession`` for a session that someone else opened."""

    token: str

    def renew(self) -> str:
        """A session that GLPI forgot at once will not be better for another try.

        :raises RetryLater: always.
        """
        raise RetryLater(sentences.SESSION_GONE)


def app_headers(settings: Mapping[str, Any]) -> dict[str, str]:
    """The header that names the API client, if there is one."""
    return {"App-Token": settings["app_token"]} if settings["app_token"] else {}


def signed_in_headers(settings: Mapping[str, Any], token: str) -> dict[str, str]:
    """The headers of a call within a session."""
    return {**app_headers(settings), "Session-Token": Token.parse(token).value}


def _address(settings: Mapping[str, Any], path: str) -> str:
    return f"{str(settings['api_url']).rstrip('/')}/{path}"
