"""Health: alive, ready, and figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

import migrations
from hub.database import db, reading
from hub.delivery.status import overview
from hub.queue import connection
from hub.queue.alive import live_workers

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Each part by name. Only the database decides: without the others the hub still accepts."""
    parts = {
        "database": _check(_database),
        "migrations": _check(_migrations),
        "redis": _check(_redis),
        "workers": _check(_workers),
    }
    can_accept = parts["database"] == "ok" and parts["migrations"] == "ok"
    return jsonify(ready=can_accept, parts=parts), 200 if can_accept else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures in Prometheus' text format."""
    figures = overview()
    lines = [
        "# TYPE hub_deliveries gauge",
        *(
            f'hub_deliveries{{state="{s}"}} {figures[s]}'
            for s in ("waiting", "running", "kept_back", "dead")
        ),
        "# TYPE hub_oldest_waiting_seconds gauge",
        f"hub_oldest_waiting_seconds {figures['oldest_waiting_seconds'] or 0}",
        "# TYPE hub_workers gauge",
        f"hub_workers {figures['workers']}",
    ]
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


class _NotReady(Exception):
    """Why a part is not ready."""


def _check(check: Callable[[], None]) -> str:
    try:
        check()
    except _NotReady as error:
        return str(error)
    except (SQLAlchemyError, RedisError) as error:
        return f"cannot be reached ({type(error).__name__})"
    return "ok"


def _database() -> None:
    with reading() as session:
        session.execute(text("SELECT 1"))


def _migrations() -> None:
    if migrations.current(db.engine) != migrations.newest():
        raise _NotReady("the schema is not up to date: run 'hub db upgrade'")


def _redis() -> None:
    connection.current().ping()


def _workers() -> None:
    if not live_workers(connection.current()):
        raise _NotReady("no worker is alive")
