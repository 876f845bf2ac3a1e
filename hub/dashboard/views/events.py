"""Events: what came in."""

from __future__ import annotations

from flask import abort, render_template

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks, sources
from hub.dashboard.blueprint import blueprint, positive
from hub.dashboard.views.deliveries import filter_of_query, query
from hub.history import (
    deliveries as history,
)
from hub.history import (
    search,
    standing,
)
from hub.sdk.events import EVENT_NAMES
from hub.services import registry


@blueprint.get("/accounts/<int:account_id>/events")
@needs(Permission.LOOK)
def event_list(account_id: int) -> str:
    """Events, newest first, by a filter."""
    return render_template(
        "event_list.html",
        section="event_list",
        found=search.events(filter_of_query(account_id), before=positive("before")),
        query=query(),
        event_names=EVENT_NAMES,
    )


@blueprint.get("/accounts/<int:account_id>/events/<int:event_id>")
@needs(Permission.LOOK)
def event(account_id: int, event_id: int) -> str:
    """One event: what it says, what was owed for it, and the webhook it came in."""
    found = history.event(event_id)
    if found is None:
        abort(404)
    owed = history.deliveries_of_event(event_id)
    return render_template(
        "event.html",
        section="event_list",
        event=found,
        source=sources.find(found.source_id),
        deliveries=[(row, hooks.find(row.hook_id)) for row in owed],
        standings=standing.of_deliveries(owed, registry().plugins),
    )
