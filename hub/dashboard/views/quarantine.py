"""The quarantine: requests that were refused and kept."""

from __future__ import annotations

from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import sources
from hub.dashboard.blueprint import account, blueprint, done
from hub.dashboard.languages import gettext, ngettext
from hub.inbox import release
from hub.inbox.release import Released


@blueprint.get("/accounts/<int:account_id>/quarantine")
@needs(Permission.LOOK)
def quarantine(account_id: int) -> str:
    """What is held, by source."""
    return render_template(
        "quarantine.html",
        section="quarantine",
        held=[(source, release.held(source.id)) for source in sources.listed(account())],
    )


@blueprint.post("/accounts/<int:account_id>/quarantine/<int:request_id>/release")
@needs(Permission.REPAIR)
def quarantine_release(account_id: int, request_id: int) -> Response:
    """Try a held request again."""
    released = release.release(request_id)
    if released is None:
        abort(404)
    return _told([released], account_id)


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>/release")
@needs(Permission.REPAIR)
def quarantine_release_all(account_id: int, source_id: int) -> Response:
    """Try all held requests of a source again."""
    return _told(release.release_all(source_id), account_id)


@blueprint.post("/accounts/<int:account_id>/quarantine/<int:request_id>/discard")
@needs(Permission.CONFIGURE)
def quarantine_discard(account_id: int, request_id: int) -> Response:
    """Throw a held request away."""
    release.discard(request_id)
    return done(gettext("Request discarded."), "quarantine", account_id=account_id)


def _told(released: Sequence[Released], account_id: int) -> Response:
    """Back to the page, which says what became of them."""
    accepted = sum(1 for one in released if one.event_ids)
    held = [one for one in released if one.refusal]
    passed_over = len(released) - accepted - len(held)
    if passed_over:
        flash(
            ngettext(
                "%(num)s request brought nothing new.",
                "%(num)s requests brought nothing new.",
                passed_over,
            ),
            "ok",
        )
    if held:
        flash(
            ngettext(
                "%(num)s request is still held.", "%(num)s requests are still held.", len(held)
            ),
            "bad",
        )
        flash(held[0].refusal, "bad")
    if accepted or not released:
        flash(
            ngettext("%(num)s request was accepted.", "%(num)s requests were accepted.", accepted),
            "ok",
        )
    return redirect(url_for("dashboard.quarantine", account_id=account_id), 303)
