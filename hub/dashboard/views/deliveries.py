"""Deliveries: the list, the story of one, and its repair."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request
from werkzeug.wrappers import Response

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks, sources
from hub.dashboard.blueprint import account, blueprint, done, positive
from hub.dashboard.formats import zone
from hub.dashboard.languages import gettext, ngettext
from hub.errors import Refused
from hub.history import (
    deliveries as history,
)
from hub.history import (
    replay,
    search,
    standing,
)
from hub.history.deliveries import BadFilter, DeliveryFilter
from hub.models import Attempt
from hub.sdk.events import EVENT_NAMES
from hub.services import registry

Page = str | tuple[str, int] | Response


@blueprint.get("/accounts/<int:account_id>/deliveries")
@needs(Permission.LOOK)
def delivery_list(account_id: int) -> Page:
    """Deliveries, newest first, by a filter."""
    wanted = filter_of_query(account_id)
    found = search.deliveries(wanted, before=positive("before"))
    mine = hooks.listed(account())
    together = request.args.get("state") in replay.TOGETHER
    return render_template(
        "delivery_list.html",
        section="delivery_list",
        found=found,
        standings=standing.of_deliveries([row for row, _ in found.rows], registry().plugins),
        query=query(),
        hook_options=[(hook.id, hook.name) for hook in mine],
        hooks_by_id={hook.id: hook for hook in mine},
        event_names=EVENT_NAMES,
        replayable=replay.count(wanted, replay.MOST + 1) if together else 0,
        most=replay.MOST,
    )


@blueprint.post("/accounts/<int:account_id>/deliveries/replay")
@needs(Permission.REPAIR)
def delivery_replay_all(account_id: int) -> Page:
    """Make all deliveries of a filter owed again."""
    state = request.args.get("state", "")
    if state not in replay.TOGETHER:
        raise Refused(gettext("Choose a state first: failed, skipped or waiting."))
    count = replay.replay_all(filter_of_query(account_id), replay.MOST)
    kept = {name: value for name, value in query().items() if name != "state"}
    return done(
        ngettext("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", count),
        "delivery_list",
        account_id=account_id,
        **kept,
    )


@blueprint.get("/accounts/<int:account_id>/deliveries/<int:delivery_id>")
@needs(Permission.LOOK)
def delivery(account_id: int, delivery_id: int) -> Page:
    """The story of a delivery."""
    found = history.delivery(delivery_id)
    if found is None:
        abort(404)
    row, event, attempts = found
    hook = hooks.find(row.hook_id)
    return render_template(
        "delivery.html",
        section="delivery_list",
        delivery=row,
        standings=standing.of_deliveries([row], registry().plugins),
        event=event,
        attempts=attempts,
        calls_of=calls_of(attempts),
        hook=hook,
        can_insist=replay.can_insist(hook.plugin_id),
        source=sources.find(event.source_id),
        siblings=[
            (one, hooks.find(one.hook_id))
            for one in history.deliveries_of_event(event.id)
            if one.id != row.id
        ],
    )


@blueprint.post("/accounts/<int:account_id>/deliveries/<int:delivery_id>/replay")
@needs(Permission.REPAIR)
def delivery_replay(account_id: int, delivery_id: int) -> Page:
    """Make a delivery owed again."""
    if not replay.replay(delivery_id):
        raise Refused(gettext("This delivery is already waiting or in progress."))
    return done(
        gettext("The delivery is tried again at once."),
        "delivery",
        account_id=account_id,
        delivery_id=delivery_id,
    )


@blueprint.post("/accounts/<int:account_id>/deliveries/<int:delivery_id>/insist")
@needs(Permission.REPAIR)
def delivery_insist(account_id: int, delivery_id: int) -> Page:
    """Deliver what is kept back of the conversation, whoever it is."""
    count = replay.insist(delivery_id)
    if not count:
        raise Refused(
            gettext("This delivery is not kept back, or its plugin must know whose it is.")
        )
    return done(
        ngettext("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", count),
        "delivery",
        account_id=account_id,
        delivery_id=delivery_id,
    )


@blueprint.post("/accounts/<int:account_id>/deliveries/<int:delivery_id>/skip")
@needs(Permission.REPAIR)
def delivery_skip(account_id: int, delivery_id: int) -> Page:
    """Give a delivery up, for a reason."""
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        raise Refused(gettext("Say why it is skipped."))
    if not replay.skip(delivery_id, reason):
        raise Refused(gettext("Only a delivery that waits or failed can be skipped."))
    return done(
        gettext("Delivery skipped. The deliveries after it continue."),
        "delivery",
        account_id=account_id,
        delivery_id=delivery_id,
    )


def calls_of(attempts: Any) -> dict[int, list[dict[str, Any]]]:
    """The calls of each attempt by its number; a batch has them at its first delivery."""
    return {attempt.number: _calls(attempt) for attempt in attempts}


def _calls(attempt: Attempt) -> list[dict[str, Any]]:
    return [entry for entry in attempt.calls if "method" in entry or "note" in entry]


def query() -> dict[str, str]:
    """The filter of the present URL, as it goes into further ones."""
    given = {name: request.args.get(name, "").strip()[:200] for name in history.NAMES}
    return {name: text for name, text in given.items() if text}


def filter_of_query(account_id: int) -> DeliveryFilter:
    """The filter that the URL asks for."""
    given = {**query(), "hook": positive("hook")}
    try:
        # A form's time has no zone: it is meant in the person's own.
        return DeliveryFilter.of(given, account_id=account_id, zone=zone())
    except BadFilter:
        abort(400)
