"""Proves the settings against the real GLPI, step by step, and learns what deliveries need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests

from hub.sdk import (
    HubError,
    NeedsAttention,
    RetryLater,
    SetupContext,
    SetupFailed,
    SetupResult,
    SetupService,
)
from hub_glpi import rights, sentences
from hub_glpi.api import Glpi
from hub_glpi.api.errors import Missing, NotAllowed
from hub_glpi.api.session import SignedIn, clock_difference, sign_in, sign_out
from hub_glpi.config import API_PATH
from hub_glpi.mappers.conversation import E_MAIL

_MOST_REDIRECTS: Final = 5
#: A clock that differs by more, apart from its time zone, is worth a word. Seconds.
_CLOCK_TOLERANCE: Final = 120
_OLDEST: Final = (9, 5)
_MAIL_NAME = re.compile(r"\s*e?[\s-]?mails?\s*", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
#: Words in the titles of the pages that GLPI shows instead of data while it cannot work.
_OUT_OF_ORDER: Final = ("maintenance", "mysql error", "missing configuration")


class GlpiSetup(SetupService):
    """The setup of a GLPI hook."""

    def run(self) -> SetupResult:
        """See ``hub.sdk.SetupService.run``. Changes nothing in GLPI."""
        with self.context.step("address", sentences.STEP_ADDRESS):
            api_url = self._find_api()
        context = _At(self.context, api_url)
        with self.context.step("sign_in", sentences.STEP_SIGN_IN):
            signed_in = sign_in(context)
        try:
            return self._examine(context, signed_in)
        finally:
            self._sign_out(context, signed_in)

    def _examine(self, context: _At, signed_in: SignedIn) -> SetupResult:
        settings, facts = self.context.settings, signed_in.facts
        with Glpi.with_session(context, str(signed_in.token)) as glpi:
            with self.context.step("version", sentences.STEP_VERSION):
                version = _version(glpi)
            with self.context.step("rights", sentences.STEP_RIGHTS):
                profile = self._check_rights(glpi, facts)
            may_upload = not rights.lacks(profile, rights.CREATE_DOCUMENTS)
            if settings["upload_attachments"]:
                title = sentences.STEP_FILES if may_upload else sentences.STEP_NO_FILES
                with self.context.step("files", title.format(profile=profile.get("name") or "?")):
                    pass  # said; without the right the texts have links
            if not settings["use_contact"]:
                can_tell = _may_read_profiles(glpi, profile)
                title = sentences.STEP_PROFILES if can_tell else sentences.STEP_NO_PROFILES
                name = profile.get("name") or "?"
                with self.context.step("profiles", title.format(profile=name)):
                    pass  # said; without the right nobody is changed
            with self.context.step("entity", sentences.STEP_ENTITY):
                entity_id, entity_name = self._entity(glpi, facts)
            with self.context.step("tickets", sentences.STEP_TICKETS):
                self._check_category(glpi)
                mail_source_id = _mail_source(glpi)
                self._check_request_source(glpi)
                self._check_default_user(glpi)
                profile_id = self._profile(glpi, entity_id)
        with self.context.step("clock", sentences.STEP_CLOCK):
            difference = clock_difference(facts, self.context.clock.now())
            drift = abs(difference - signed_in.token.clock_offset)
        user = str(facts.get("glpifriendlyname") or facts.get("glpiname") or "?")
        sentence = sentences.SETUP_DONE_CLOCK if drift > _CLOCK_TOLERANCE else sentences.SETUP_DONE
        return SetupResult(
            sentence.format(
                version=version, entity=entity_name, user=user, minutes=round(drift / 60)
            ),
            learned={
                "version": version,
                "entity_id": entity_id,
                "entity_name": entity_name,
                "user_id": facts.get("glpiID"),
                "user_name": user,
                "user_profile_id": profile_id,
                "mail_source_id": mail_source_id,
                "may_upload": may_upload,
                "clock_offset_seconds": signed_in.token.clock_offset,
                "clock_drift_seconds": round(drift),
            },
            settings={"api_url": context.settings["api_url"]}
            if context.settings["api_url"] != settings["api_url"]
            else {},
        )

    def _sign_out(self, context: _At, signed_in: SignedIn) -> None:
        try:
            sign_out(context, str(signed_in.token))
        except HubError as error:
            self.context.log.warning("GLPI did not close a session.", reason=error.sentence)

    # The address.

    def _find_api(self) -> str:
        """The API's address, completed and with redirects followed. No credential is sent.

        They are followed on one host only: the tokens were entered for that one.
        """
        address = api_address(self.context.settings["api_url"])
        entered = urlsplit(address).hostname
        for _ in range(_MOST_REDIRECTS):
            response = self._ask(address)
            if not 300 <= response.status_code < 400:
                break
            address = _followed(response, address)
            if urlsplit(address).hostname != entered:
                raise SetupFailed(sentences.URL_LEADS_AWAY.format(address=address), field="api_url")
        if _speaks_api(response):
            return address
        match = _TITLE.search(response.content[:20_000].decode("utf-8", "replace"))
        title = match.group(1).casefold() if match else ""
        if any(words in title for words in _OUT_OF_ORDER):
            raise SetupFailed(sentences.MAINTENANCE, field="api_url")
        raise SetupFailed(sentences.URL_NOT_GLPI.format(address=address), field="api_url")

    def _ask(self, address: str) -> requests.Response:
        host = urlsplit(address).hostname
        try:
            return self.context.http.get(f"{address}/initSession")
        except RetryLater as error:
            if isinstance(error.__cause__, requests.exceptions.SSLError):
                sentence = sentences.URL_TLS.format(host=host)
            elif error.__cause__ is not None:
                sentence = sentences.URL_UNREACHABLE.format(host=host)
            else:
                raise  # it is there, and has trouble of its own
            raise SetupFailed(sentence, field="api_url") from error
        except HubError as error:
            sentence = sentences.URL_BLOCKED.format(host=host, reason=error.sentence)
            raise SetupFailed(sentence, field="api_url") from error

    # What the settings need.

    def _check_rights(self, glpi: Glpi, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """The profile, which has all that the work cannot go without."""
        settings = self.context.settings
        profile = facts.get("glpiactiveprofile")
        profile = profile if isinstance(profile, dict) else {}
        for right in _needed(settings):
            if rights.lacks(profile, right):
                error = rights.missing(profile, right)
                raise SetupFailed(error.sentence, field=error.field)
        # A profile may be shown without its rights; this asks for what no work goes without.
        if settings["use_contact"]:
            glpi.contacts.with_email("nobody@example.invalid")
        else:
            glpi.users.with_login("nobody@example.invalid")
        return profile

    def _entity(self, glpi: Glpi, facts: Mapping[str, Any]) -> tuple[int, str]:
        chosen = self.context.settings["entity_id"]
        entity_id = int(facts.get("glpiactive_entity") or 0) if chosen is None else int(chosen)
        try:
            entity = glpi.entities.get(entity_id)
        except Missing as error:
            raise SetupFailed(
                sentences.ENTITY_MISSING.format(id=entity_id), field="entity_id"
            ) from error
        except NotAllowed as error:
            reach = facts.get("glpiactiveentities")
            if isinstance(reach, list | dict) and entity_id in _numbers(reach):
                # Within reach, but the profile may not read entities: good enough.
                return entity_id, str(facts.get("glpiactive_entity_name") or entity_id)
            raise SetupFailed(
                sentences.ENTITY_OUT_OF_REACH.format(id=entity_id), field="entity_id"
            ) from error
        return entity_id, str(entity.get("completename") or entity.get("name") or entity_id)

    def _check_category(self, glpi: Glpi) -> None:
        category_id = self.context.settings["category_id"]
        if category_id is None:
            return
        try:
            category = glpi.entities.category(category_id)
        except (Missing, NotAllowed) as error:
            raise SetupFailed(
                sentences.CATEGORY_MISSING.format(id=category_id), field="category_id"
            ) from error
        flag = "is_incident" if self.context.settings["ticket_type"] == "1" else "is_request"
        if category.get(flag) == 0:
            name = category.get("completename") or category.get("name") or category_id
            raise SetupFailed(sentences.CATEGORY_WRONG_TYPE.format(name=name), field="category_id")

    def _check_request_source(self, glpi: Glpi) -> None:
        source_id = self.context.settings["request_source_id"]
        if source_id is None:
            return
        try:
            glpi.entities.request_source(source_id)
        except Missing as error:
            raise SetupFailed(
                sentences.REQUEST_SOURCE_MISSING.format(id=source_id), field="request_source_id"
            ) from error
        except NotAllowed:
            pass  # technicians may use request sources that they may not read

    def _check_default_user(self, glpi: Glpi) -> None:
        user_id = self.context.settings["default_user_id"]
        if user_id is None:
            return
        try:
            user = glpi.users.get(user_id)
        except (Missing, NotAllowed):
            user = {"is_deleted": 1}
        if user.get("is_deleted") or user.get("is_active") == 0:
            raise SetupFailed(
                sentences.DEFAULT_USER_MISSING.format(id=user_id), field="default_user_id"
            )

    def _profile(self, glpi: Glpi, entity_id: int) -> int | None:
        """The profile for new users, which only users outside of the root entity need."""
        chosen = self.context.settings["user_profile_id"]
        if chosen is not None:
            try:
                glpi.entities.profile(chosen)
            except (Missing, NotAllowed) as error:
                raise SetupFailed(
                    sentences.PROFILE_MISSING.format(id=chosen), field="user_profile_id"
                ) from error
            return int(chosen)
        if not entity_id or self.context.settings["use_contact"]:
            return None
        try:
            return glpi.users.default_profile()
        except NeedsAttention:
            return None  # it may not be read; GLPI then uses its own default


class _At:
    """The setup's context with another address, the one that was found."""

    def __init__(self, context: SetupContext, api_url: str) -> None:
        self.settings: Mapping[str, Any] = {**context.settings, "api_url": api_url}
        self.learned = context.learned
        self.http = context.http
        self.log = context.log
        self.clock = context.clock
        self.redactor = context.redactor


def api_address(pasted: str) -> str:
    """The API's address for whatever page of GLPI someone pasted."""
    parts = urlsplit(pasted.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupFailed(sentences.URL_INVALID, field="api_url")
    path = re.sub(r"/{2,}", "/", parts.path)
    if API_PATH in path:
        path = path.partition(API_PATH)[0]
    else:
        path = re.sub(r"/(front|ajax|install|marketplace|plugins)(/.*)?$", "", path)
        path = re.sub(r"/(api\.php|index\.php)(/.*)?$", "", path)
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, path.rstrip("/") + API_PATH, "", ""))


def _followed(response: requests.Response, address: str) -> str:
    location = requests.compat.urljoin(f"{address}/initSession", response.headers["Location"])
    return api_address(location.removesuffix("/initSession"))


def _speaks_api(response: requests.Response) -> bool:
    """Whether an answer to a call without credentials is GLPI's refusal of it."""
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, list) and bool(body) and str(body[0]).startswith("ERROR")


def _version(glpi: Glpi) -> str:
    version = glpi.entities.version()
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    if numbers and tuple(numbers) < _OLDEST:
        raise SetupFailed(sentences.VERSION_TOO_OLD.format(version=version), field="api_url")
    return version


def _needed(settings: Mapping[str, Any]) -> list[rights.Right]:
    if settings["use_contact"]:
        needed = [rights.READ_CONTACTS, rights.CREATE_CONTACTS, rights.UPDATE_CONTACTS]
    else:
        needed = [rights.READ_USERS, rights.CREATE_USERS, rights.UPDATE_USERS]
    if settings["enable_ticket_sync"]:
        needed += [rights.CREATE_TICKETS, rights.READ_TICKETS, rights.UPDATE_TICKETS]
        if settings["enable_followup_sync"]:
            needed.append(rights.ADD_FOLLOWUPS)
    return needed


def _mail_source(glpi: Glpi) -> int | None:
    """The request source of tickets that come by mail: the one that GLPI gives its own, or one
    called e-mail; ``None`` if people have done away with both."""
    try:
        sources = glpi.entities.request_sources()
    except NotAllowed:
        return E_MAIL  # technicians may use request sources that they may not read
    by_default = [one for one in sources if one.get("is_mail_default") == 1]
    by_name = [one for one in sources if _MAIL_NAME.fullmatch(str(one.get("name") or ""))]
    found = [int(one["id"]) for one in by_default + by_name if one.get("is_active") != 0]
    return next(iter(found), None)


def _may_read_profiles(glpi: Glpi, profile: Mapping[str, Any]) -> bool:
    """Whether it can be told who works in GLPI. Asked for the profile of the user itself."""
    try:
        glpi.entities.profile(int(profile.get("id") or 0))
    except (Missing, NotAllowed):
        return False
    return True


def _numbers(reach: Any) -> set[int]:
    values = reach.values() if isinstance(reach, dict) else reach
    return {int(value) for value in values if str(value).isdigit()}
