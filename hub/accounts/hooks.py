"""Hooks: plugins in an account, from their settings to their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub import log
from hub.access import audit
from hub.accounts import doors, setup
from hub.accounts.credentials import addresses, require_anew
from hub.accounts.errors import Changed, InvalidSettings, NotFound, Refused
from hub.accounts.setup import SetupReport
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import breaker
from hub.delivery.context import HookView
from hub.delivery.sessions import Loan, SharedSessions, close_quietly
from hub.delivery.trace import Trace
from hub.models import Account, Hook, HookStatus
from hub.plugins import UnknownPlugin
from hub.plugins import current as registry
from hub.queue import connection
from hub.queue.ready import ReadyLanes
from hub.sdk.plugin import Plugin
from hub.sdk.settings import completed, secret_names, url_names
from hub.security.encryption import Keyring

#: Bounds of a hook's own limits.
MOST_AT_ONCE = 256
MOST_CALLS = 1_000

_log = log.get(__name__)


def create(
    account: Account,
    plugin_id: str,
    settings: Mapping[str, Any],
    *,
    name: str = "",
    inbox_id: str | None = None,
) -> tuple[Hook, SetupReport]:
    """Install a plugin into an account and run its setup.

    The hook is kept when the setup fails, as 'needs attention', so that it can be mended.

    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises Refused: the plugin cannot be used here.
    """
    plugin = _usable_plugin(plugin_id, account)
    if plugin.hook_type == "inbox" and not inbox_id:
        raise Refused(f"{plugin.name} is installed for one inbox; name it.")
    public, secrets = _validated(plugin, settings)
    now = SystemClock().now()
    hook = Hook(
        account_id=account.id,
        plugin_id=plugin.id,
        name=name or plugin.name,
        hook_type="inbox" if inbox_id else "account",
        inbox_id=inbox_id,
        only_one=None if plugin.allow_multiple_hooks else f"{account.id}:{plugin.id}",
        settings=public,
        secrets=secrets,
        doors="",
        created_at=now,
        updated_at=now,
    )
    try:
        in_transaction(lambda session: session.add(hook))
    except IntegrityError as error:
        raise Refused(
            f"{plugin.name} is installed in this account already, and it allows one hook."
        ) from error
    return run_setup(hook.id)


def update(
    hook_id: int, settings: Mapping[str, Any], *, expected_version: int | None = None
) -> tuple[Hook, SetupReport]:
    """Change settings, keeping those that are not given (secrets too), and run the setup.

    :raises NotFound: there is no such hook.
    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises Changed: somebody else has changed the hook since ``expected_version``.
    """
    hook = find(hook_id)
    plugin = _plugin(hook.plugin_id)
    public, secrets = _validated(plugin, _with_stored(plugin, hook, settings))
    close_sessions(hook)

    def work(session: Session) -> None:
        row = session.get_one(Hook, hook_id)
        _require_version(row, expected_version)
        row.doors = doors.kept(plugin, row.doors, row.settings, public)
        row.settings, row.secrets, row.updated_at = public, secrets, SystemClock().now()

    in_transaction(work)
    return run_setup(hook_id)


def run_setup(hook_id: int) -> tuple[Hook, SetupReport]:
    """Prove the hook's settings, and set its status by the result. May be run at will.

    :raises NotFound: there is no such hook.
    """
    hook = find(hook_id)
    report = test(hook)

    def work(session: Session) -> Hook:
        row = session.get_one(Hook, hook_id)
        row.status_detail = report.sentence
        row.updated_at = SystemClock().now()
        if not report.ok:
            row.status = HookStatus.NEEDS_ATTENTION
            return row
        row.settings, row.secrets = _split(_plugin(row.plugin_id), report.settings)
        row.learned, row.doors = dict(report.learned), hook.doors
        if row.status != HookStatus.PAUSED:
            row.status = HookStatus.ACTIVE
        breaker.reset(session, hook_id)
        return row

    hook = in_transaction(work)
    _let_go(hook.id)
    return hook, report


def test(hook: Hook) -> SetupReport:
    """Prove the hook's settings without storing them. The audit log tells where to, and how."""
    plugin = _plugin(hook.plugin_id)
    named = [hook.settings.get(name) for name in url_names(plugin.settings)]
    hook.doors = doors.opened(hook.doors, named)
    report = setup.run(plugin, view(hook))
    told = {"plugin": plugin.id, "addresses": addresses(plugin, hook), "passed": report.ok}
    audit.note("hook.tested", account_id=hook.account_id, subject_id=hook.id or None, after=told)
    return report


def try_out(
    account: Account, plugin_id: str, settings: Mapping[str, Any], hook: Hook | None = None
) -> SetupReport:
    """Prove settings that are not stored; secrets that are not given are the hook's.

    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises Refused: the plugin cannot be used here.
    """
    plugin = _usable_plugin(plugin_id, account)
    given = _with_stored(plugin, hook, settings) if hook else settings
    public, secrets = _validated(plugin, given)
    trial = Hook(
        id=hook.id if hook else 0,
        account_id=account.id,
        plugin_id=plugin.id,
        settings=public,
        secrets=secrets,
        learned=hook.learned if hook else {},
        doors=doors.kept(plugin, hook.doors, hook.settings, public) if hook else "",
    )
    return test(trial)


def tune(
    hook_id: int,
    *,
    name: str | None = None,
    concurrency: int | None = None,
    calls_per_second: float | None = None,
    expected_version: int | None = None,
) -> Hook:
    """Change a hook's name, and its own limits in place of the plugin's (``None``: the plugin's).

    :raises NotFound: there is no such hook.
    :raises Changed: somebody else has changed the hook since ``expected_version``.
    :raises Refused: a limit is out of bounds.
    """
    find(hook_id)
    if concurrency is not None and not 1 <= concurrency <= MOST_AT_ONCE:
        raise Refused(f"Lanes at once must be between 1 and {MOST_AT_ONCE}.")
    if calls_per_second is not None and not 0 < calls_per_second <= MOST_CALLS:
        raise Refused(f"Calls per second must be above 0 and at most {MOST_CALLS}.")

    def work(session: Session) -> Hook:
        hook = session.get_one(Hook, hook_id)
        _require_version(hook, expected_version)
        if name is not None and name.strip():
            hook.name = name.strip()[:200]
        hook.concurrency, hook.calls_per_second = concurrency, calls_per_second
        hook.updated_at = SystemClock().now()
        return hook

    return in_transaction(work)


def set_enabled(hook_id: int, enabled: bool) -> Hook:
    """Switch a hook on or off. Off: it is owed nothing new, and what it is owed waits.

    :raises NotFound: there is no such hook.
    """
    find(hook_id)

    def work(session: Session) -> Hook:
        hook = session.get_one(Hook, hook_id)
        hook.enabled = enabled
        hook.updated_at = SystemClock().now()
        return hook

    hook = in_transaction(work)
    if not enabled:
        close_sessions(hook)
    return hook


def pause(hook_id: int, reason: str) -> Hook:
    """Let deliveries wait, for a stated reason.

    :raises NotFound: there is no such hook.
    :raises Refused: no reason is given.
    """
    if not reason.strip():
        raise Refused("Say why the hook is paused.")
    return _set_status(hook_id, HookStatus.PAUSED, reason.strip())


def resume(hook_id: int) -> tuple[Hook, SetupReport]:
    """End a pause: prove the settings and go on.

    :raises NotFound: there is no such hook.
    """
    _set_status(hook_id, HookStatus.SETTING_UP, "")
    return run_setup(hook_id)


def remove(hook_id: int) -> None:
    """Delete a hook with its deliveries and links. What stands in the CRM stays there.

    :raises NotFound: there is no such hook.
    """
    hook = find(hook_id)
    close_sessions(hook)
    in_transaction(lambda session: session.delete(session.get_one(Hook, hook_id)))
    try:
        ReadyLanes(connection.current()).drop(hook_id)
    except RedisError:
        _log.warning("Redis still knows a deleted hook; its lanes lead nowhere", hook=hook_id)


def find(hook_id: int) -> Hook:
    """The hook of an id.

    :raises NotFound: there is none.
    """
    with reading() as session:
        hook = session.get(Hook, hook_id)
    if hook is None:
        raise NotFound(f"There is no hook {hook_id}.")
    return hook


def listed(account: Account | None = None) -> Sequence[Hook]:
    """The hooks of an account, or all."""
    query = select(Hook).order_by(Hook.id)
    if account is not None:
        query = query.where(Hook.account_id == account.id)
    with reading() as session:
        return session.scalars(query).all()


def view(hook: Hook) -> HookView:
    """The hook as its plugin's contexts see it."""
    with reading() as session:
        account = session.get_one(Account, hook.account_id)
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


def close_sessions(hook: Hook, *, lent_too: bool = False) -> int:
    """Sign out of every remote session of the hook; returns how many.

    ``lent_too`` includes those that a worker has now: only when no worker is left.
    """
    return _close(hook, lambda shared: shared.take_all(lent_too=lent_too))


def close_idle_sessions(hook: Hook) -> int:
    """Sign out of the remote sessions that nobody has used for long; returns how many."""
    return _close(hook, SharedSessions.take_expired)


def _close(hook: Hook, choose: Callable[[SharedSessions], list[Loan]]) -> int:
    plugin = registry().plugins.get(hook.plugin_id)
    if plugin is None or plugin.session_driver is None:
        return 0
    seen = view(hook)
    try:
        loans = choose(
            SharedSessions(connection.current(), Keyring.current(), hook.id, seen.access)
        )
    except RedisError:
        _log.warning("Redis is not available; remote sessions end by themselves", hook=hook.id)
        return 0
    context = setup.context_of(seen, Trace())
    for loan in loans:
        close_quietly(plugin.session_driver, context, loan.token)
    return len(loans)


def _require_version(hook: Hook, expected: int | None) -> None:
    if expected is not None and hook.version != expected:
        raise Changed("Somebody else has changed this hook in the meantime. Look again.")


def _set_status(hook_id: int, status: HookStatus, detail: str) -> Hook:
    find(hook_id)

    def work(session: Session) -> Hook:
        hook = session.get_one(Hook, hook_id)
        hook.status, hook.status_detail = status, detail
        hook.updated_at = SystemClock().now()
        return hook

    return in_transaction(work)


def _let_go(hook_id: int) -> None:
    try:
        ReadyLanes(connection.current()).unhold(hook_id)
    except RedisError:
        _log.warning("Redis is not available; the hook goes on a little later", hook=hook_id)


def _plugin(plugin_id: str) -> Plugin:
    try:
        return registry().get(plugin_id)
    except UnknownPlugin as error:
        raise Refused(str(error)) from error


def _usable_plugin(plugin_id: str, account: Account) -> Plugin:
    plugin = _plugin(plugin_id)
    if plugin.not_ready:
        raise Refused(f"{plugin.name} is not ready: {plugin.not_ready}")
    if plugin.feature_flag and plugin.feature_flag not in account.features:
        raise Refused(f"{plugin.name} needs the feature {plugin.feature_flag} in this account.")
    return plugin


def _with_stored(plugin: Plugin, hook: Hook, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and for the rest the hook's settings and secrets.

    :raises InvalidSettings: the address is another, so that secrets must be given anew.
    """
    stored = {**hook.settings, **hook.secrets}
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
    return _split(plugin, values)


def _reasons(error: ValidationError) -> dict[str, list[str]]:
    messages: Any = error.messages
    return {name: [str(why) for why in reasons] for name, reasons in messages.items()}


def _split(plugin: Plugin, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Public settings, and secrets, which are stored encrypted.

    What the plugin does not know is left out: it may have been a secret once.
    """
    secret = secret_names(plugin.settings)
    known = completed(plugin.settings, values)
    public = {name: value for name, value in known.items() if name not in secret}
    return public, {name: known[name] for name in secret if known.get(name)}
