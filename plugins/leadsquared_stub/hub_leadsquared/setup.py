"""Proves the keys, finds the account's server, and finds or makes the activity types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests

from hub.sdk import (
    HubError,
    NeedsAttention,
    Rejected,
    RetryLater,
    SetupFailed,
    SetupResult,
    SetupService,
)
from hub_leadsquared import sentences
from hub_leadsquared.api import LeadSquared
from hub_leadsquared.api.account import AccountFacts
from hub_leadsquared.api.errors import Duplicate
from hub_leadsquared.settings import is_leadsquared

_T = TypeVar("_T")
_VERSION: Final = "/v2"
#: Tries of a call for which LeadSquared asks for patience.
_TRIES: Final = 3
#: The prefixes of the settings of the two activities.
_STARTED: Final = "conversation_activity"
_TRANSCRIPT: Final = "transcript_activity"


class LeadSquaredSetup(SetupService):
    """The setup of a LeadSquared hook. May run at any time: it makes nothing twice."""

    def run(self) -> SetupResult:
        """See ``hub.sdk.SetupService.run``."""
        api_url = str(self.context.settings["api_url"]).rstrip("/").removesuffix(_VERSION)
        with self.context.step("keys", "Check the keys"):
            facts = self._sign_in(api_url)
        with self.context.step("server", "Find the server of your region"):
            endpoint_url = _endpoint(api_url, facts)
        with self.context.step("activities", "Find or make the activity types"):
            codes = self._codes(endpoint_url)
        if self.context.settings["identity_field"]:
            with self.context.step("field", "Look for the field for network ids"):
                self._look_for_field(endpoint_url)
        host = urlsplit(endpoint_url).hostname
        return SetupResult(
            sentences.SETUP_DONE.format(
                organisation=facts.organisation or "-", host=host, user=facts.user or "-"
            ),
            learned={
                "endpoint_url": endpoint_url,
                "app_url": f"{_scheme(api_url)}://{facts.app_host}" if facts.app_host else "",
                "timezone": facts.timezone,
                "organisation": facts.organisation,
                "user": facts.user,
                "default_country_code": facts.country_code,
                "conversation_activity_code": codes.get(_STARTED),
                "transcript_activity_code": codes.get(_TRANSCRIPT),
            },
        )

    def _sign_in(self, api_url: str) -> AccountFacts:
        if not is_leadsquared(api_url):
            raise SetupFailed(sentences.HOST_FOREIGN, field="api_url")
        account = LeadSquared(self.context, api_url + _VERSION).account
        host = urlsplit(api_url).hostname
        try:
            return self._patiently(account.facts)
        except NeedsAttention as error:
            if error.field is not None:
                raise
            # Without a field it is not LeadSquared that speaks, but the hub's outbound guard.
            sentence = sentences.URL_BLOCKED.format(host=host, reason=error.sentence)
            raise SetupFailed(sentence, field="api_url") from error
        except RetryLater as error:
            raise _unreached(error, host) from error

    def _look_for_field(self, endpoint_url: str) -> None:
        name = str(self.context.settings["identity_field"])
        leads = LeadSquared(self.context, endpoint_url).leads
        try:
            self._patiently(lambda: leads.with_value(name, "-"))
        except Rejected as error:
            sentence = sentences.FIELD_UNREADABLE.format(name=name, reason=error.sentence)
            raise SetupFailed(sentence, field="identity_field") from error

    def _codes(self, endpoint_url: str) -> Mapping[str, int]:
        """The codes of the activities that are switched on, by the prefix of their settings."""
        settings = self.context.settings
        wanted: dict[str, str] = {
            prefix: settings[f"{prefix}_name"]
            for prefix in (_STARTED, _TRANSCRIPT)
            if settings[f"enable_{prefix}"]
        }
        if len(set(wanted.values())) < len(wanted):
            sentence = sentences.SAME_NAME.format(name=wanted[_TRANSCRIPT])
            raise SetupFailed(sentence, field=f"{_TRANSCRIPT}_name")
        if not wanted:
            return {}
        leadsquared = LeadSquared(self.context, endpoint_url)
        existing = self._existing(leadsquared)
        return {
            prefix: existing[name] if name in existing else self._make(leadsquared, prefix, name)
            for prefix, name in wanted.items()
        }

    def _existing(self, leadsquared: LeadSquared) -> Mapping[str, int]:
        try:
            return self._patiently(leadsquared.activity_types.codes)
        except Rejected as error:
            sentence = sentences.TYPES_UNREADABLE.format(reason=error.sentence)
            raise SetupFailed(sentence, field="access_key") from error

    def _make(self, leadsquared: LeadSquared, prefix: str, name: str) -> int:
        score = int(self.context.settings[f"{prefix}_score"])
        try:
            return self._patiently(lambda: leadsquared.activity_types.create(name, score))
        except Duplicate as error:
            # Someone else, or a try whose answer was lost, has just made it.
            existing = self._existing(leadsquared)
            if name in existing:
                return existing[name]
            raise _not_made(name, prefix, error) from error
        except (Rejected, NeedsAttention) as error:
            raise _not_made(name, prefix, error) from error

    def _patiently(self, call: Callable[[], _T]) -> _T:
        """Call, waiting where LeadSquared asks for fewer calls: setups are not rate limited."""
        for _ in range(_TRIES - 1):
            try:
                return call()
            except RetryLater as error:
                if not error.throttled or error.delay is None:
                    raise
                self.context.clock.sleep(error.delay)
        return call()


def _endpoint(api_url: str, facts: AccountFacts) -> str:
    """The API of the account's region, which must be LeadSquared's own too."""
    if not facts.api_host:
        raise SetupFailed(sentences.NO_REGION, field="access_key")
    endpoint_url = f"{_scheme(api_url)}://{facts.api_host}{_VERSION}"
    if _is_local(endpoint_url) != _is_local(api_url) or not is_leadsquared(endpoint_url):
        raise SetupFailed(sentences.REGION_FOREIGN.format(host=facts.api_host), field="api_url")
    return endpoint_url


def _scheme(url: str) -> str:
    return urlsplit(url).scheme


def _is_local(url: str) -> bool:
    return not (urlsplit(url).hostname or "").endswith("leadsquared.com")


def _unreached(error: RetryLater, host: Any) -> HubError:
    """Trouble that a person can mend, told as such; other trouble is told as it is."""
    if isinstance(error.__cause__, requests.exceptions.SSLError):
        return SetupFailed(sentences.URL_TLS.format(host=host), field="api_url")
    if isinstance(error.__cause__, requests.exceptions.ConnectionError):
        return SetupFailed(sentences.URL_UNREACHABLE.format(host=host), field="api_url")
    return error


def _not_made(name: str, prefix: str, error: HubError) -> SetupFailed:
    sentence = sentences.TYPE_NOT_MADE.format(name=name, reason=error.sentence)
    return SetupFailed(sentence, field=f"enable_{prefix}")
