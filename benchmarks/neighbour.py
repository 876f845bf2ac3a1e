"""A noisy neighbour: how long a healthy hook's deliveries take beside one with a long backlog at a
CRM that answers in 25 seconds, compared with the same hook alone."""

from __future__ import annotations

import statistics
import time

import requests
from sqlalchemy import func, select

from benchmarks import load, webhooks
from benchmarks.figures import Figures
from benchmarks.installation import Glpi, Installation, Lost, installed, simulated_glpi
from hub.accounts import accounts, hooks, sources
from hub.database import reading
from hub.models import OPEN, Delivery

SERVICE_TIME = 0.020
SLOW = 25.0
BACKLOG = 10_000
_ROUNDS = 3
_EVENTS = 200
#: Events a second: what one support team's busiest minute brings.
_RATE = 20.0
_PATIENCE = 300.0


def measure(figures: Figures, quick: bool) -> None:
    """The healthy hook alone, then beside the other one."""
    with (
        simulated_glpi(SERVICE_TIME) as glpi,
        simulated_glpi() as slow,
        installed(glpi) as installation,
    ):
        installation.start_web()
        installation.start_sweeper()
        installation.start_workers()
        _percentile(installation)  # warm
        alone = [_percentile(installation) for _ in range(_ROUNDS)]
        path = _move_in(installation, slow)
        backlog = webhooks.first_messages(path, BACKLOG // 5 if quick else BACKLOG)
        load.send(installation.port, backlog)
        beside = [_percentile(installation) for _ in range(_ROUNDS)]
        figures.note("neighbour.p95_ms_alone", *alone)
        figures.note("neighbour.p95_ms_beside", *beside)
        figures.note("neighbour.p95_ratio", statistics.median(beside) / statistics.median(alone))


def _move_in(installation: Installation, slow: Glpi) -> str:
    """An account whose CRM hangs; returns the path of its webhook."""
    with installation.app.app_context():
        account = accounts.create("Neighbour")
        source = sources.create(account, "chatwoot", signing_secret=webhooks.SECRET)
        settings = {
            "api_url": slow.url,
            "app_token": "simulator-app-token",
            "user_token": "simulator-user-token",
        }
        _, report = hooks.create(account, "glpi", settings)
        assert report.ok, report.sentence
    fault = {"kind": "latency", "seconds": SLOW, "times": None}
    requests.post(f"{slow.url}/__simulator__/faults", json=fault, timeout=10).raise_for_status()
    return f"/webhooks/chatwoot/{source.token}"


def _percentile(installation: Installation) -> float:
    """Milliseconds from the webhook to the CRM within which 95 of 100 deliveries are done."""
    with installation.app.app_context():
        before = _newest()
        events = webhooks.first_messages(installation.path, _EVENTS)
        load.send(installation.port, events, rate=_RATE)
        mine = (Delivery.hook_id == installation.hook_id, Delivery.id > before)
        give_up = time.monotonic() + _PATIENCE
        while _number(*mine, Delivery.state.in_(OPEN)):
            if time.monotonic() > give_up:
                raise Lost("the healthy hook's deliveries are not done")
            time.sleep(0.1)
        with reading() as session:
            rows = session.execute(
                select(Delivery.created_at, Delivery.finished_at).where(*mine)
            ).all()
    seconds = [(row.finished_at - row.created_at).total_seconds() for row in rows]
    p95: float = statistics.quantiles(seconds, n=100)[94] * 1000
    return p95


def _newest() -> int:
    with reading() as session:
        return session.scalar(select(func.max(Delivery.id))) or 0


def _number(*criteria: object) -> int:
    with reading() as session:
        query = select(func.count()).select_from(Delivery).where(*criteria)  # type: ignore[arg-type]
        return session.scalar(query) or 0
