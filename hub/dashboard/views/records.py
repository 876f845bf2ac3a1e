"""Records: what a contact or a conversation is called in every CRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import render_template, request

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks
from hub.dashboard.blueprint import account, blueprint
from hub.history import records as known
from hub.history import (
    replay,
    search,
    standing,
)
from hub.history.deliveries import DeliveryFilter
from hub.models import Delivery, Event, Hook
from hub.services import registry


@blueprint.get("/accounts/<int:account_id>/records")
@needs(Permission.LOOK)
def records(account_id: int) -> str:
    """Look up by number, name or email; show links and the last deliveries."""
    text = request.args.get("text", "").strip()[:200]
    contact_id = request.args.get("contact", "").strip()[:100] or None
    conversation_id = request.args.get("conversation", "").strip()[:100] or None
    wanted = DeliveryFilter(account_id, contact_id=contact_id, conversation_id=conversation_id)
    chosen = contact_id is not None or conversation_id is not None
    deliveries = search.deliveries(wanted, limit=20).rows if chosen else []
    mine = {hook.id: hook for hook in hooks.listed(account())}
    return render_template(
        "records.html",
        section="records",
        text=text,
        contact_id=contact_id,
        conversation_id=conversation_id,
        people=search.contacts(account_id, text) if text else None,
        subject=search.events(wanted, limit=1).rows if chosen else [],
        links=known.of_subject(account_id, contact_id, conversation_id) if chosen else [],
        deliveries=deliveries,
        kept=_kept_in(deliveries, mine) if conversation_id else [],
        standings=standing.of_deliveries([row for row, _ in deliveries], registry().plugins),
        conversations=known.conversations_of(account_id, contact_id) if contact_id else [],
        hooks=mine,
    )


def _kept_in(rows: Sequence[tuple[Delivery, Event]], mine: Mapping[int, Hook]) -> list[Delivery]:
    """The oldest of each connection that is kept back, and need not be."""
    found: dict[int, Delivery] = {}
    for row, _ in rows:
        if (
            row.kept_until
            and row.hook_id in mine
            and replay.can_insist(mine[row.hook_id].plugin_id)
        ):
            found[row.hook_id] = row
    return list(found.values())
