"""The quarantine: requests that were refused and kept."""

from __future__ import annotations

from flask import abort, render_template
from werkzeug.wrappers import Response

from hub.access import audit
from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import sources
from hub.dashboard.blueprint import account, blueprint, done
from hub.dashboard.languages import gettext, ngettext
from hub.database import in_transaction
from hub.inbox import release


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
    audit.note(
        "request.released",
        account_id=account_id,
        subject_id=request_id,
        after={"outcome": released.outcome},
    )
    return done(released.outcome, "quarantine", account_id=account_id)


@blueprint.post("/accounts/<int:account_id>/sources/<int:source_id>/release")
@needs(Permission.REPAIR)
def quarantine_release_all(account_id: int, source_id: int) -> Response:
    """Try all held requests of a source again."""
    released = [release.release(held.id) for held in release.held(source_id)]
    accepted = sum(1 for one in released if one is not None and one.event_ids)
    audit.note(
        "requests.released",
        account_id=account_id,
        subject_id=source_id,
        after={"tried": len(released), "accepted": accepted},
    )
    return done(
        ngettext("%(num)s request was accepted.", "%(num)s requests were accepted.", accepted),
        "quarantine",
        account_id=account_id,
    )


@blueprint.post("/accounts/<int:account_id>/quarantine/<int:request_id>/discard")
@needs(Permission.CONFIGURE)
def quarantine_discard(account_id: int, request_id: int) -> Response:
    """Throw a held request away."""
    in_transaction(lambda session: release.discard(session, request_id))
    audit.note("request.discarded", account_id=account_id, subject_id=request_id)
    return done(gettext("The request is thrown away."), "quarantine", account_id=account_id)
