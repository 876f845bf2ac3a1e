"""Workers and queues: who is alive, what it does, and what waits."""

from __future__ import annotations

from flask import render_template
from werkzeug.wrappers import Response

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks
from hub.dashboard.blueprint import blueprint, done
from hub.dashboard.languages import gettext
from hub.history import status


@blueprint.get("/accounts/<int:account_id>/queues")
@needs(Permission.LOOK)
def queues(account_id: int) -> str:
    """Workers with their lanes, backlogs, and circuit breakers."""
    return render_template(
        "queues.html",
        section="queues",
        standing=status.overview(account_id),
        workers=status.workers(account_id),
        backlog=status.backlog(account_id),
    )


@blueprint.post("/accounts/<int:account_id>/hooks/<int:hook_id>/probe")
@needs(Permission.REPAIR)
def hook_probe(account_id: int, hook_id: int) -> Response:
    """Let the next probe of an open circuit breaker through at once."""
    hooks.probe(hook_id)
    return done(gettext("A probe has been started."), "queues", account_id=account_id)
