"""Connections: installing a plugin into the account, and everything about a hook after that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks
from hub.accounts.proving import NotProven
from hub.accounts.setup import SetupReport
from hub.dashboard import drafts, forms
from hub.dashboard.blueprint import account, blueprint, done, refused
from hub.dashboard.formats import said_of
from hub.dashboard.languages import gettext, sentence
from hub.errors import (
    InvalidSettings,
    Refused,
)
from hub.history.standing import plugin_missing
from hub.history.status import overview
from hub.models import Hook
from hub.models.existing import missing
from hub.sdk.plugin import Plugin
from hub.sdk.settings import completed, form_fields, secret_names, visible_settings
from hub.security.encryption import is_readable
from hub.services import registry

Page = str | tuple[str, int] | Response


@blueprint.get("/accounts/<int:account_id>/hooks")
@needs(Permission.LOOK)
def hook_list(account_id: int) -> Page:
    """The hooks of the account."""
    return render_template(
        "hook_list.html",
        section="hook_list",
        standing=overview(account_id),
        unreadable={
            hook.id: hooks.detail(hook)
            for hook in hooks.listed(account())
            if not is_readable(hook.secrets)
        },
        plugins=registry().plugins,
    )


@blueprint.route("/accounts/<int:account_id>/hooks/new/<plugin_id>", methods=["GET", "POST"])
@needs(Permission.CONFIGURE)
def hook_new(account_id: int, plugin_id: str) -> Page:
    """Install a plugin: its form, and the test that comes before it is saved."""
    plugin = _plugin(plugin_id)
    if request.method == "GET":
        return _form(plugin)
    if "drop" in request.form:
        return _start_anew()
    name = request.form.get("name", "").strip()[:200]
    inbox_id = request.form.get("inbox_id", "").strip()[:100] or None
    values = _entered(plugin)
    try:
        hook, report = hooks.create(
            *(account(), plugin_id, values),
            name=name,
            inbox_id=inbox_id,
            only_proven="anyway" not in request.form,
        )
    except Refused as error:
        return _try_again(plugin, values, error)
    drafts.drop()
    said = sentence(report.sentence, plugin_id)
    return done(said, "hook", account_id=account_id, hook_id=hook.id)


@blueprint.get("/accounts/<int:account_id>/hooks/<int:hook_id>")
@needs(Permission.LOOK)
def hook(account_id: int, hook_id: int) -> Page:
    """A hook: how it does, what it is owed, what it is set to; once, how its test went."""
    draft = drafts.Draft.kept()
    if draft is not None and "X-Live" not in request.headers:
        drafts.drop()
    found = hooks.find(hook_id)
    plugin = registry().plugins.get(found.plugin_id)
    standings = [one for one in overview(found.account_id)["hooks"] if one["id"] == hook_id]
    if not standings:  # deleted since it was found
        raise missing(Hook, hook_id)
    return render_template(
        "hook.html",
        section="hook_list",
        hook=found,
        can_be_read=is_readable(found.secrets),
        detail=hooks.detail(found),
        standing=standings[0],
        plugin=plugin,
        missing="" if plugin else said_of(plugin_missing(found.plugin_id)),
        groups=forms.grouped(form_fields(plugin.settings)) if plugin else [],
        shown=visible_settings(plugin.settings, found.settings) if plugin else {},
        report=draft.report if draft else None,
    )


@blueprint.route("/accounts/<int:account_id>/hooks/<int:hook_id>/edit", methods=["GET", "POST"])
@needs(Permission.CONFIGURE)
def hook_edit(account_id: int, hook_id: int) -> Page:
    """Change a hook's settings."""
    found = hooks.find(hook_id)
    plugin = _plugin(found.plugin_id)
    if request.method == "GET":
        return _form(plugin, found)
    if "drop" in request.form:
        return _start_anew()
    values = _entered(plugin)
    try:
        _, report = hooks.update(
            hook_id, values, expected_version=_whole(request.form.get("version"))
        )
    except Refused as error:
        return _try_again(plugin, values, error)
    if not report.ok:
        return _try_again(plugin, values, NotProven(report))
    drafts.drop()
    said = sentence(report.sentence, found.plugin_id)
    return done(said, "hook", account_id=account_id, hook_id=hook_id)


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/test")
@needs(Permission.REPAIR)
def hook_test(account_id: int, hook_id: int) -> Page:
    """Run the setup again, and show its steps."""
    return _tested(*hooks.run_setup(hook_id))


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/enable")
@needs(Permission.CONFIGURE)
def hook_enable(account_id: int, hook_id: int) -> Page:
    """Switch a hook on."""
    hooks.set_enabled(hook_id, True)
    return done(gettext("Switched on."), "hook", account_id=account_id, hook_id=hook_id)


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/disable")
@needs(Permission.CONFIGURE)
def hook_disable(account_id: int, hook_id: int) -> Page:
    """Switch a hook off."""
    hooks.set_enabled(hook_id, False)
    return done(
        gettext("Switched off. The connection gets no new events; its open deliveries wait."),
        "hook",
        account_id=account_id,
        hook_id=hook_id,
    )


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/pause")
@needs(Permission.REPAIR)
def hook_pause(account_id: int, hook_id: int) -> Page:
    """Let deliveries wait, for a reason."""
    hooks.pause(hook_id, request.form.get("reason", ""))
    return done(
        gettext("Connection paused. Everything waits until you resume it."),
        "hook",
        account_id=account_id,
        hook_id=hook_id,
    )


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/resume")
@needs(Permission.REPAIR)
def hook_resume(account_id: int, hook_id: int) -> Page:
    """End a pause."""
    return _tested(*hooks.resume(hook_id))


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/limits")
@needs(Permission.CONFIGURE)
def hook_limits(account_id: int, hook_id: int) -> Page:
    """Change the name and the hook's own limits."""
    hooks.tune(
        hook_id,
        name=request.form.get("name"),
        concurrency=_whole(request.form.get("concurrency")),
        calls_per_second=_number(request.form.get("calls_per_second")),
    )
    return done(gettext("Saved."), "hook", account_id=account_id, hook_id=hook_id)


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/delete")
@needs(Permission.CONFIGURE)
def hook_delete(account_id: int, hook_id: int) -> Page:
    """Delete a hook with what it was owed."""
    hooks.remove(hook_id)
    return done(gettext("Connection deleted."), "hook_list", account_id=account_id)


def _tested(hook: Hook, report: SetupReport) -> Response:
    """To the hook's page, which shows once how the test went."""
    names: dict[str, Any] = {"account_id": hook.account_id, "hook_id": hook.id}
    drafts.Draft(report=_steps_of(report)).keep(url_for("dashboard.hook", **names))
    said = sentence(report.sentence, hook.plugin_id)
    return (done if report.ok else refused)(said, "hook", **names)


def _steps_of(report: SetupReport) -> SetupReport:
    """What people are shown of a report."""
    return replace(report, calls=[], settings={}, learned={})


def _entered(plugin: Plugin) -> dict[str, Any]:
    """What a person entered; secrets that were typed a moment ago need not be typed again."""
    draft = drafts.Draft.kept()
    secrets = secret_names(plugin.settings)
    typed = {
        name: value
        for name, value in (draft.values if draft else {}).items()
        if name in secrets and value
    }
    return {**typed, **forms.entered(plugin, request.form)}


def _try_again(plugin: Plugin, values: Mapping[str, Any], error: Refused) -> Response:
    """Back to the form, which shows what was entered and what is wrong. Reloading that page does
    nothing again."""
    report = error.report if isinstance(error, NotProven) else None
    drafts.Draft(
        values=values,
        fields={name: request.form.get(name, "")[:200] for name in ("name", "inbox_id")},
        problems=error.fields if isinstance(error, InvalidSettings) else {},
        problem="" if report or isinstance(error, InvalidSettings) else str(error),
        report=_steps_of(report) if report else None,
    ).keep()
    return redirect(request.path, 303)


def _start_anew() -> Response:
    drafts.drop()
    return redirect(request.path, 303)


def _form(plugin: Plugin, found: Hook | None = None) -> str:
    """The settings form, with what was entered last, and how the test of it went."""
    draft = drafts.Draft.kept() or drafts.Draft()
    values = {**(completed(plugin.settings, found.settings) if found else {}), **draft.values}
    report = draft.report
    wrong = {**draft.problems}
    if report is not None and report.field:
        wrong[report.field] = [report.sentence]
    secrets = secret_names(plugin.settings)
    known = {name for name in secrets if draft.values.get(name)}
    if found and is_readable(found.secrets):
        known |= found.secrets.keys()
    return render_template(
        "hook_form.html",
        section="hook_list" if found else "catalogue",
        plugin=plugin,
        hook=found,
        stays=found is None or found.status not in hooks.UNPROVEN,
        groups=forms.groups(plugin, values, wrong, known),
        draft=draft,
        report=report,
    )


def _plugin(plugin_id: str) -> Plugin:
    plugin = registry().plugins.get(plugin_id)
    if plugin is None:
        abort(404)
    return plugin


def _whole(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _number(text: str | None) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise Refused(gettext("%(entered)s is not a number.", entered=text)) from None
