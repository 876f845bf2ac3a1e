"""Alembic's entry: runs the migrations on the connection that the hub hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from hub import models
from hub.database import db

models.load()
connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    # Two processes that start at once: the second waits, then finds nothing to do.
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727274)")


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration names what is stored, not the hub's own types, which may change later."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl.__class__.__name__}()"
    return False


context.configure(
    connection=connection,
    target_metadata=db.metadata,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
