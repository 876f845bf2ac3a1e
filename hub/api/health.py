"""Health: alive, ready, and figures for Prometheus."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Response, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

import migrations
from hub import services
from hub.database import database, db
from hub.history.status import overview
from hub.outbound.guard import is_public
from hub.queue.alive import live_workers

blueprint = Blueprint("health", __name__)
#: Seconds for which a trial of the database is believed.
BELIEVED = 1.0
#: Seconds for which it waits for others who write: less than Chatwoot waits for its answer.
PATIENCE = 4.0
#: Bytes that must be free beside SQLite's file: for the largest webhook, in file and log.
LEAST_SPACE = 32 * 1024 * 1024
#: What proxies add to requests that they pass on.
_FORWARDED = frozenset({"Forwarded", "X-Forwarded-For", "Via"})


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
    """Figures in Prometheus' text format, of all accounts together: for who watches from inside."""
    if not _asks_from_inside():
        sentence = "The figures of the whole hub are told to addresses of private networks only.\n"
        return Response(sentence, 403, mimetype="text/plain")
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


def _asks_from_inside() -> bool:
    """Whether the request comes from this machine or a private network; one that a proxy has
    passed on does only where the proxy is believed about whose it is."""
    config = services.current().config
    if not config.proxies and not _FORWARDED.isdisjoint(name for name, _ in request.headers):
        return False
    try:
        return not is_public(ip_address(request.remote_addr or ""))
    except ValueError:  # a Unix socket's
        return True


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
    services.current().single(Trial).check()


class Trial:
    """Whether a webhook would be stored, tried once a moment however many ask."""

    def __init__(self, _: services.Services) -> None:
        self._turn = threading.Lock()
        self._tried_at = -math.inf
        self._answer = ""

    def check(self) -> None:
        """Tell what was found out last.

        :raises _NotReady: a webhook would be refused.
        """
        with self._turn:
            if time.monotonic() - self._tried_at > BELIEVED:
                self._answer = _try_to_store()
                self._tried_at = time.monotonic()
            if self._answer:
                raise _NotReady(self._answer)


def _try_to_store() -> str:
    try:
        database().try_to_write(PATIENCE)
    except SQLAlchemyError as error:
        return f"cannot be written ({type(error).__name__})"
    if db.engine.dialect.name != "sqlite":
        return ""
    folder = Path(str(db.engine.url.database)).parent
    if shutil.disk_usage(folder).free < LEAST_SPACE:
        return f"less than {LEAST_SPACE >> 20} MiB of disk space are left"
    return ""


def _migrations() -> None:
    if migrations.current(db.engine) != migrations.newest():
        raise _NotReady("the schema is not up to date: run 'hub db upgrade'")


def _redis() -> None:
    services.stores().redis.ping()


def _workers() -> None:
    if not live_workers(services.stores().redis):
        raise _NotReady("no worker is alive")
