"""What the log says of a dead letter."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import log
from hub.models import Delivery, Hook

_log = log.get(__name__)


def tell(session: Session, delivery_id: int, reason: str) -> None:
    """Write the line, with the connection that somebody may have to mend."""
    query = select(Hook.id, Hook.plugin_id).join(Delivery, Delivery.hook_id == Hook.id)
    hook_id, plugin_id = session.execute(query.where(Delivery.id == delivery_id)).one()
    _log.error("dead letter", hook=hook_id, plugin=plugin_id, delivery=delivery_id, reason=reason)
