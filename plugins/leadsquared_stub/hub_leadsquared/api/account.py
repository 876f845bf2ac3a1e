"""Who the keys belong to, and which server the account lives on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub_leadsquared.api.connection import Connection


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the authentication call tells. Hosts are without scheme; "" stands for unknown."""

    api_host: str
    app_host: str
    timezone: str
    organisation: str
    user: str
    #: Digits, without a plus: "91".
    country_code: str


class Account:
    """The account. Its one call works on the global host for every region."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def facts(self) -> AccountFacts:
        """Prove the keys, and learn.

        Source: LeadSquared's documentation, "Authentication" (UserByAccessKey.Get).

        :raises NeedsAttention: the keys are unknown, or their user is inactive.
        """
        body = self._connection.get("Authentication.svc/UserByAccessKey.Get", dict)
        urls = body.get("LSQCommonServiceURLs")
        urls = urls if isinstance(urls, dict) else {}
        return AccountFacts(
            api_host=_text(urls, "api"),
            app_host=_text(urls, "app"),
            timezone=_text(body, "TimeZone"),
            organisation=_text(body, "OrgDisplayName") or _text(body, "OrgShortCode"),
            user=_text(body, "Name") or _text(body, "EmailAddress"),
            country_code=_text(body, "DefaultCountryCode").lstrip("+"),
        )


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "").strip()
