"""Plugins and hooks."""

from __future__ import annotations

from typing import Any

from flask import Response

from hub.access.gate import Open
from hub.access.permissions import Permission
from hub.accounts import accounts, hooks
from hub.api.operations import expected_version, operation, with_version
from hub.api.schemas import hooks as schemas
from hub.api.schemas import parts
from hub.api.views.accounts import ACCOUNT
from hub.errors import NotFound
from hub.models import Hook
from hub.plugins import UnknownPlugin
from hub.sdk.settings import json_schema, visible_settings
from hub.security.encryption import is_readable
from hub.services import registry

HOOK = f"{ACCOUNT}/hooks/<int:hook_id>"


@operation("GET", "/plugins", Open.TO_USERS, answer=schemas.Plugins)
def plugin_list() -> Any:
    """The installed plugins, and the broken ones with the reason."""
    return {"items": registry().plugins.values(), "broken": registry().broken}


@operation("GET", "/plugins/<plugin_id>", Open.TO_USERS, answer=schemas.PluginWithSettings)
def plugin_show(plugin_id: str) -> Any:
    """A plugin with the JSON Schema of its settings."""
    try:
        plugin = registry().get(plugin_id)
    except UnknownPlugin as error:
        raise NotFound(str(error)) from error
    names = schemas.Plugin().fields.keys()
    told = {name: getattr(plugin, name) for name in names}
    return {**told, "settings_schema": json_schema(plugin.settings)}


@operation("GET", f"{ACCOUNT}/hooks", Permission.LOOK, answer=schemas.Hooks)
def hook_list(account_id: int) -> Any:
    """The hooks of the account."""
    return {"items": [shown(hook) for hook in hooks.listed(accounts.find(account_id))]}


@operation(
    "POST",
    f"{ACCOUNT}/hooks",
    Permission.CONFIGURE,
    body=schemas.NewHook,
    answer=schemas.HookWithReport,
    status=201,
)
def hook_create(account_id: int, body: dict[str, Any]) -> Any:
    """Install a plugin and run its setup. The hook is kept if the setup fails: see the report."""
    hook, report = hooks.create(
        accounts.find(account_id),
        body["plugin_id"],
        body["settings"],
        name=body["name"],
        inbox_id=body["inbox_id"],
    )
    return {"hook": shown(hook), "report": report}


@operation("GET", HOOK, Permission.LOOK, answer=schemas.Hook)
def hook_show(account_id: int, hook_id: int) -> Response:
    """A hook; its ETag is its version."""
    return _versioned(hooks.find(hook_id))


@operation("PATCH", HOOK, Permission.CONFIGURE, body=schemas.HookChange, answer=schemas.Hook)
def hook_update(account_id: int, hook_id: int, body: dict[str, Any]) -> Response:
    """Change name, limits or settings. New settings are tested first. If the test fails, the answer
    is 422 with the report, and a working hook keeps its old settings. A hook that needs attention
    stores the new ones anyway. If-Match prevents overwriting changes of others."""
    hook = hooks.find(hook_id)
    version = expected_version(hook.version)
    if "settings" in body:
        hook, _ = hooks.update(hook_id, body["settings"], expected_version=version)
        version = None
    if body.keys() - {"settings"}:
        hook = hooks.tune(
            hook_id,
            name=body.get("name"),
            concurrency=body.get("concurrency", hook.concurrency),
            calls_per_second=body.get("calls_per_second", hook.calls_per_second),
            expected_version=version,
        )
    return _versioned(hook)


@operation("DELETE", HOOK, Permission.CONFIGURE, status=204)
def hook_delete(account_id: int, hook_id: int) -> None:
    """Delete a hook with its deliveries and links. Records in the CRM are not deleted."""
    hooks.remove(hook_id)


@operation("POST", f"{HOOK}/test", Permission.REPAIR, answer=schemas.HookWithReport)
def hook_test(account_id: int, hook_id: int) -> Any:
    """Run the setup again."""
    hook, report = hooks.run_setup(hook_id)
    return {"hook": shown(hook), "report": report}


@operation("POST", f"{HOOK}/enable", Permission.CONFIGURE, answer=schemas.Hook)
def hook_enable(account_id: int, hook_id: int) -> Any:
    """Switch a hook on."""
    return shown(hooks.set_enabled(hook_id, True))


@operation("POST", f"{HOOK}/disable", Permission.CONFIGURE, answer=schemas.Hook)
def hook_disable(account_id: int, hook_id: int) -> Any:
    """Switch a hook off: it gets no new events."""
    return shown(hooks.set_enabled(hook_id, False))


@operation("POST", f"{HOOK}/pause", Permission.REPAIR, body=parts.Reason, answer=schemas.Hook)
def hook_pause(account_id: int, hook_id: int, body: dict[str, Any]) -> Any:
    """Let deliveries wait, for a reason."""
    return shown(hooks.pause(hook_id, body["reason"]))


@operation("POST", f"{HOOK}/resume", Permission.REPAIR, answer=schemas.HookWithReport)
def hook_resume(account_id: int, hook_id: int) -> Any:
    """End a pause: the setup is run, and deliveries continue."""
    hook, report = hooks.resume(hook_id)
    return {"hook": shown(hook), "report": report}


@operation("POST", f"{HOOK}/probe", Permission.REPAIR, status=204)
def hook_probe(account_id: int, hook_id: int) -> None:
    """Let the next probe of an open circuit breaker through at once."""
    hooks.probe(hook_id)


def shown(hook: Hook) -> dict[str, Any]:
    """A hook as the API shows it. Of secrets it shows only the names."""
    plugin = registry().plugins.get(hook.plugin_id)
    names = schemas.Hook().fields.keys() - {"status_detail", "secrets_set", "settings"}
    return {
        **{name: getattr(hook, name) for name in names},
        "settings": visible_settings(plugin.settings, hook.settings) if plugin else {},
        "status_detail": hooks.detail(hook),
        "secrets_set": sorted(hook.secrets) if is_readable(hook.secrets) else [],
    }


def _versioned(hook: Hook) -> Response:
    return with_version(shown(hook), schemas.Hook, hook.version)
