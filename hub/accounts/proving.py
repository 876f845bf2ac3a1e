"""Proving settings before they are stored: a hook that is not stored, and its plugin's setup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError

from hub import audit, log
from hub.accounts import doors, setup
from hub.accounts.credentials import addresses, require_anew
from hub.accounts.setup import SetupReport
from hub.database import reading
from hub.delivery.context import HookView
from hub.errors import (
    InvalidSettings,
    Refused,
)
from hub.models import Account, Hook
from hub.models.existing import existing
from hub.plugins import UnknownPlugin
from hub.sdk.plugin import Plugin
from hub.sdk.settings import completed, secret_names, url_names
from hub.sdk.translation import for_people
from hub.security.encryption import Undecryptable, is_readable
from hub.services import registry

_log = log.get(__name__)

#: What marshmallow says of a setting, for the catalogues.
OF_SETTINGS: Final = (
    for_people("Missing data for required field."),
    for_people("Field may not be null."),
    for_people("Not a valid string."),
    for_people("Not a valid number."),
    for_people("Not a valid integer."),
    for_people("Not a valid boolean."),
    for_people("Must be one of: {choices}."),
    for_people("Must be greater than or equal to {min}."),
    for_people("Must be greater than or equal to {min} and less than or equal to {max}."),
    for_people("Enter an address that begins with https:// or http://."),
)


class NotProven(Refused):
    """The settings failed their test, so nothing was stored; ``report`` tells how."""

    def __init__(self, report: SetupReport) -> None:
        self.report = report
        super().__init__(report.sentence)


def test(hook: Hook) -> SetupReport:
    """Prove the hook's settings without storing them. The audit log tells where to, and how."""
    plugin = plugin_of(hook.plugin_id)
    named = [hook.settings.get(name) for name in url_names(plugin.settings)]
    hook.doors = doors.opened(hook.doors, named)
    try:
        seen = view(hook)
    except Undecryptable as error:
        return SetupReport(False, str(error), None, [], [])
    report = setup.run(plugin, seen)
    told = {"plugin": plugin.id, "addresses": addresses(plugin, hook), "passed": report.ok}
    audit.note("hook.tested", account_id=hook.account_id, subject_id=hook.id or None, after=told)
    return report


def trial(
    account: Account, plugin_id: str, settings: Mapping[str, Any], hook: Hook | None = None
) -> Hook:
    """A hook with these settings, to be tested and not stored; what is not given is ``hook``'s.

    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises Refused: the plugin cannot be used here.
    """
    plugin = plugin_of(plugin_id) if hook else usable_plugin(plugin_id, account)
    given = _with_stored(plugin, hook, settings) if hook else settings
    public, secrets = _validated(plugin, given)
    return Hook(
        id=hook.id if hook else 0,
        account_id=account.id,
        plugin_id=plugin.id,
        settings=public,
        secrets=secrets,
        learned=hook.learned if hook else {},
        calls_per_second=hook.calls_per_second if hook else None,
        doors=doors.kept(plugin, hook.doors, hook.settings, public) if hook else "",
    )


def view(hook: Hook) -> HookView:
    """The hook as its plugin's contexts see it."""
    with reading() as session:
        account = existing(session, Account, hook.account_id)
    plugin = registry().plugins.get(hook.plugin_id)
    stored = HookView(
        id=hook.id,
        account_id=hook.account_id,
        account_name=account.name,
        default_region=account.default_region,
        plugin_id=hook.plugin_id,
        settings=hook.settings,
        secrets=hook.secrets,
        learned=hook.learned,
        own_calls_per_second=hook.calls_per_second,
        stored_doors=hook.doors,
    )
    return stored.read_by(plugin.settings) if plugin else stored


def plugin_of(plugin_id: str) -> Plugin:
    """The installed plugin.

    :raises Refused: there is none of this id.
    """
    try:
        return registry().get(plugin_id)
    except UnknownPlugin as error:
        raise Refused(str(error)) from error


def usable_plugin(plugin_id: str, account: Account) -> Plugin:
    """The plugin, if it can be installed in the account.

    :raises Refused: it cannot.
    """
    plugin = plugin_of(plugin_id)
    if plugin.not_ready:
        raise Refused(f"{plugin.name} is not ready: {plugin.not_ready}")
    if plugin.feature_flag and plugin.feature_flag not in account.features:
        raise Refused(f"{plugin.name} needs the feature {plugin.feature_flag} in this account.")
    return plugin


def _with_stored(plugin: Plugin, hook: Hook, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and for the rest the hook's settings and secrets.

    Secrets that cannot be read give way to those that are given.

    :raises InvalidSettings: the address is another, so that secrets must be given anew.
    :raises Undecryptable: the hook's secrets cannot be read, and none is given.
    """
    is_given_anew = any(given.get(name) for name in secret_names(plugin.settings))
    kept = {} if is_given_anew and not is_readable(hook.secrets) else hook.secrets
    stored = {**hook.settings, **kept}
    read = completed(plugin.settings, stored)
    if unknown := sorted(stored.keys() - read.keys()):
        _log.warning("settings that the plugin no longer knows", hook=hook.id, names=unknown)
    require_anew(plugin, read, given)
    return {**read, **given}


def _validated(
    plugin: Plugin, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        values: dict[str, Any] = plugin.settings().load(dict(settings))
    except ValidationError as error:
        raise InvalidSettings(_reasons(error)) from error
    return split(plugin, values)


def _reasons(error: ValidationError) -> dict[str, list[str]]:
    messages: Any = error.messages
    return {name: [str(why) for why in reasons] for name, reasons in messages.items()}


def split(plugin: Plugin, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Public settings, and secrets, which are stored encrypted.

    What the plugin does not know is left out: it may have been a secret once.
    """
    secret = secret_names(plugin.settings)
    known = completed(plugin.settings, values)
    public = {name: value for name, value in known.items() if name not in secret}
    return public, {name: known[name] for name in secret if known.get(name)}
