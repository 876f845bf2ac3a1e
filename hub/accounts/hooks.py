"""Hooks: plugins in an account, from their settings to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub import audit, clock, log, services
from hub.accounts import doors, setup
from hub.accounts.proving import NotProven, plugin_of, split, test, trial, usable_plugin, view
from hub.accounts.setup import SetupReport
from hub.database import in_transaction, reading
from hub.delivery import breaker
from hub.delivery.remote_sessions import (
    Loan,
    SharedSessions,
    close_quietly,
)
from hub.errors import (
    Changed,
    NotFound,
    Refused,
)
from hub.models import WORKING, Account, Hook, HookStatus
from hub.models.existing import (
    existing,
    stay,
)
from hub.outbound.trace import Trace
from hub.queue.ready import ReadyLanes
from hub.security.encryption import Undecryptable, is_readable
from hub.services import registry

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
    only_proven: bool = False,
) -> tuple[Hook, SetupReport]:
    """Install a plugin into an account and run its setup.

    When the setup fails the hook is kept as 'needs attention', so that it can be mended;
    with ``only_proven`` it is not.

    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises NotProven: the setup fails, and only what is proven is wanted.
    :raises Refused: the plugin cannot be used here.
    """
    hook = trial(account, plugin_id, settings)
    plugin = usable_plugin(plugin_id, account)
    if plugin.hook_type == "inbox" and not inbox_id:
        raise Refused(f"{plugin.name} is installed for one inbox; name it.")
    report = test(hook) if only_proven else None
    if report is not None and not report.ok:
        raise NotProven(report)
    now = clock.now()
    hook = Hook(
        account_id=account.id,
        plugin_id=plugin.id,
        name=name or plugin.name,
        hook_type="inbox" if inbox_id else "account",
        inbox_id=inbox_id,
        only_one=None if plugin.allow_multiple_hooks else f"{account.id}:{plugin.id}",
        settings=hook.settings,
        secrets=hook.secrets,
        doors=hook.doors,
        created_at=now,
        updated_at=now,
    )

    def add(session: Session) -> None:
        stay(session, Account, account.id)
        session.add(hook)

    try:
        in_transaction(add)
    except IntegrityError as error:
        raise Refused(
            f"{plugin.name} is installed in this account already, and it allows one hook."
        ) from error
    return run_setup(hook.id) if report is None else (_settle(hook, report), report)


def update(
    hook_id: int, settings: Mapping[str, Any], *, expected_version: int | None = None
) -> tuple[Hook, SetupReport]:
    """Prove other settings, keeping those that are not given (secrets too), and store them.

    What a hook works with stays in force when the new settings fail. Those of a hook that needs
    attention, or was never set up, are stored all the same, so that they can be mended.

    :raises NotFound: there is no such hook.
    :raises InvalidSettings: a setting does not fit the plugin's schema.
    :raises NotProven: the settings fail, and the hook keeps those that it has.
    :raises Changed: somebody else has changed the hook since ``expected_version``.
    """
    hook = find(hook_id)
    _require_version(hook, expected_version)
    with reading() as session:
        account = existing(session, Account, hook.account_id)
    changed = trial(account, hook.plugin_id, settings, hook)
    plugin = plugin_of(hook.plugin_id)
    report = test(changed)
    if not report.ok and hook.status not in UNPROVEN:
        raise NotProven(report)
    close_sessions(hook)

    def work(session: Session) -> None:
        row = existing(session, Hook, hook_id)
        _require_version(row, expected_version)
        row.doors = doors.kept(plugin, row.doors, row.settings, changed.settings)
        row.settings, row.secrets = changed.settings, changed.secrets
        row.updated_at = clock.now()

    in_transaction(work)
    return _settle(changed, report), report


#: What a hook has in these is not known to work.
UNPROVEN = (HookStatus.NEEDS_ATTENTION, HookStatus.SETTING_UP)


def run_setup(hook_id: int) -> tuple[Hook, SetupReport]:
    """Prove the hook's settings, and set its status by the result. May be run at will.

    :raises NotFound: there is no such hook.
    """
    hook = find(hook_id)
    report = test(hook)
    return _settle(hook, report), report


def _settle(proven: Hook, report: SetupReport, *, resumes: bool = False) -> Hook:
    """Store what became of a hook's settings, as ``proven`` has them, in their test.

    A test stops nothing that works, and ends no pause: where the remote is only away, the
    deliveries wait for it anyway.
    """

    def work(session: Session) -> Hook:
        row = existing(session, Hook, proven.id)
        row.updated_at = clock.now()
        is_paused = row.status == HookStatus.PAUSED
        if not report.ok:
            if report.may_pass and resumes and row.learned:
                row.status, row.status_detail = HookStatus.ACTIVE, ""
            elif not is_paused and not (report.may_pass and row.status in WORKING):
                row.status, row.status_detail = HookStatus.NEEDS_ATTENTION, report.sentence
            return row
        row.settings, row.secrets = split(plugin_of(row.plugin_id), report.settings)
        row.learned, row.doors = dict(report.learned), proven.doors
        if not is_paused:
            row.status, row.status_detail = HookStatus.ACTIVE, report.sentence
        breaker.reset(session, row.id)
        return row

    hook = in_transaction(work)
    _let_go(hook.id)
    return hook


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
    if concurrency is not None and not 1 <= concurrency <= MOST_AT_ONCE:
        raise Refused(f"Lanes at once must be between 1 and {MOST_AT_ONCE}.")
    if calls_per_second is not None and not 0 < calls_per_second <= MOST_CALLS:
        raise Refused(f"Calls per second must be above 0 and at most {MOST_CALLS}.")

    def work(session: Session) -> Hook:
        hook = existing(session, Hook, hook_id)
        _require_version(hook, expected_version)
        if name is not None and name.strip():
            hook.name = name.strip()[:200]
        hook.concurrency, hook.calls_per_second = concurrency, calls_per_second
        hook.updated_at = clock.now()
        return hook

    return in_transaction(work)


def set_enabled(hook_id: int, enabled: bool) -> Hook:
    """Switch a hook on or off. Off: it is owed nothing new, and what it is owed waits.

    :raises NotFound: there is no such hook.
    """

    def work(session: Session) -> Hook:
        hook = existing(session, Hook, hook_id)
        hook.enabled = enabled
        hook.updated_at = clock.now()
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
    """End a pause: prove the settings and go on, also while the remote is away.

    :raises NotFound: there is no such hook.
    """
    hook = _set_status(hook_id, HookStatus.SETTING_UP, "")
    report = test(hook)
    return _settle(hook, report, resumes=True), report


def probe(hook_id: int) -> None:
    """Let the next probe of an open circuit breaker through at once.

    :raises NotFound: there is no such hook.
    """

    def work(session: Session) -> None:
        account_id = existing(session, Hook, hook_id).account_id
        breaker.probe_now(session, hook_id, clock.now())
        audit.note("breaker.probed", account_id=account_id, subject_id=hook_id, within=session)

    in_transaction(work)


def remove(hook_id: int) -> None:
    """Delete a hook with its deliveries and links. What stands in the CRM stays there.

    :raises NotFound: there is no such hook.
    """
    hook = find(hook_id)
    close_sessions(hook)
    in_transaction(lambda session: session.delete(existing(session, Hook, hook_id)))
    try:
        ReadyLanes(services.stores().redis).drop(hook_id)
    except RedisError:
        _log.warning("Redis still knows a deleted hook; its lanes lead nowhere", hook=hook_id)


def find(hook_id: int) -> Hook:
    """The hook of an id.

    :raises NotFound: there is none.
    """
    with reading() as session:
        return existing(session, Hook, hook_id)


def listed(account: Account | None = None) -> Sequence[Hook]:
    """The hooks of an account, or all."""
    query = select(Hook).order_by(Hook.id)
    if account is not None:
        query = query.where(Hook.account_id == account.id)
    with reading() as session:
        return session.scalars(query).all()


def readable() -> Iterator[Hook]:
    """All hooks whose secrets can be read, one by one."""
    with reading() as session:
        ids = session.scalars(select(Hook.id).order_by(Hook.id)).all()
    for hook_id in ids:
        try:
            hook = find(hook_id)
        except NotFound:
            continue  # deleted meanwhile
        if is_readable(hook.secrets):
            yield hook
        else:
            _log.warning("a connection is passed over", hook=hook_id, reason=detail(hook))


def detail(hook: Hook) -> str:
    """The hook's status in words. That its secrets cannot be read comes first."""
    return hook.status_detail if is_readable(hook.secrets) else str(Undecryptable())


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
    if plugin is None or plugin.session_driver is None or not is_readable(hook.secrets):
        return 0  # sessions that nobody can close end by themselves
    seen = view(hook)
    try:
        loans = choose(
            SharedSessions(
                services.stores().redis, services.current().keyring, hook.id, seen.access
            )
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

    def work(session: Session) -> Hook:
        hook = existing(session, Hook, hook_id)
        hook.status, hook.status_detail = status, detail
        hook.updated_at = clock.now()
        return hook

    return in_transaction(work)


def _let_go(hook_id: int) -> None:
    try:
        ReadyLanes(services.stores().redis).unhold(hook_id)
    except RedisError:
        _log.warning("Redis is not available; the hook goes on a little later", hook=hook_id)
