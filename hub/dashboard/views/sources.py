"""Sources: the guided page that connects Chatwoot, and what came of it."""

from __future__ import annotations

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import sources
from hub.dashboard.blueprint import account, blueprint, done
from hub.dashboard.languages import gettext
from hub.errors import Refused
from hub.inbox import release
from hub.inbox.sources import KINDS
from hub.inbox.sources.chatwoot import form

Page = str | tuple[str, int] | Response


@blueprint.get("/accounts/<int:account_id>/sources")
@needs(Permission.LOOK)
def source_list(account_id: int) -> Page:
    """The sources of the account."""
    found = sources.listed(account())
    return render_template(
        "source_list.html",
        section="source_list",
        sources=[(one, sources.newest_event(one), sources.detail(one)) for one in found],
    )


def _kinds() -> list[tuple[str, str]]:
    """What the form offers."""
    return [(kind.name, gettext(kind.title)) for kind in KINDS.values()]


@blueprint.route("/accounts/<int:account_id>/sources/new", methods=["GET", "POST"])
@needs(Permission.CONFIGURE)
def source_new(account_id: int) -> Page:
    """Make a source; the next page says what to do at Chatwoot."""
    if request.method == "GET":
        return render_template(
            "source_new.html", section="source_list", values={"kind": "chatwoot"}, kinds=_kinds()
        )
    kind = request.form.get("kind", "")
    # What the empty field shows.
    name = request.form.get("name", "").strip() or ("Chatwoot" if kind == "chatwoot" else "")
    try:
        made = sources.create(
            account(),
            kind,
            name=name[:200],
            base_url=request.form.get("base_url", "").strip() or None,
        )
    except Refused as error:
        page = render_template(
            "source_new.html",
            section="source_list",
            values=request.form,
            kinds=_kinds(),
            problem=str(error),
        )
        return page, 400
    return done(gettext("Source created."), "source", account_id=account_id, source_id=made.id)


@blueprint.get("/accounts/<int:account_id>/sources/<int:source_id>")
@needs(Permission.LOOK)
def source(account_id: int, source_id: int) -> Page:
    """What to do at the sender, and whether events arrive."""
    found = sources.find(source_id)
    webhook_url = sources.webhook_url(found) or ""
    return render_template(
        "source.html",
        section="source_list",
        source=found,
        detail=sources.detail(found),
        webhook_url=webhook_url,
        wanted=form.EVENTS,
        is_refused=webhook_url and found.kind == "chatwoot" and form.is_refused(webhook_url),
        shares_cookies=found.kind == "chatwoot"
        and form.shares_cookies(webhook_url, found.base_url),
        call=form.call(webhook_url, found.base_url),
        newest=sources.newest_event(found),
        held=release.held(source_id),
    )


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>")
@needs(Permission.CONFIGURE)
def source_update(account_id: int, source_id: int) -> Page:
    """Change a source; an empty secret field keeps the secret."""
    given = request.form
    if "signing_secret" in given:
        sources.update(source_id, signing_secret=given["signing_secret"].strip() or None)
    else:
        sources.update(
            source_id,
            name=given.get("name", ""),
            base_url=given.get("base_url", "").strip(),
            allow_unsigned=given.get("allow_unsigned") == "true",
        )
    return done(gettext("Saved."), "source", account_id=account_id, source_id=source_id)


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>/enable")
@needs(Permission.CONFIGURE)
def source_enable(account_id: int, source_id: int) -> Page:
    """Switch a source on."""
    sources.update(source_id, enabled=True)
    return done(gettext("Switched on."), "source", account_id=account_id, source_id=source_id)


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>/disable")
@needs(Permission.CONFIGURE)
def source_disable(account_id: int, source_id: int) -> Page:
    """Switch a source off: its address answers 404."""
    sources.update(source_id, enabled=False)
    return done(
        gettext("Switched off. Requests to its address are refused."),
        "source",
        account_id=account_id,
        source_id=source_id,
    )


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>/delete")
@needs(Permission.OWN)
def source_delete(account_id: int, source_id: int) -> Page:
    """Delete a source with its events."""
    sources.remove(source_id)
    return done(gettext("Source deleted."), "source_list", account_id=account_id)
