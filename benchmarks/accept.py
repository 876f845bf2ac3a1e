"""Accepting: how many webhooks a second are stored, beside a view that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import load, postgres, webhooks
from benchmarks.figures import Figures
from benchmarks.installation import Glpi, Installation, installed, simulated_glpi

_ROUNDS = 3
#: Webhooks in one round; the bare view gets more, so that both take a while.
_HUB, _BARE = 3_000, 9_000
_STEADY_RATE, _STEADY_SECONDS = 200, 10
_WARM_UP = 300


def measure(figures: Figures, quick: bool) -> None:
    """SQLite and PostgreSQL."""
    part = 4 if quick else 1
    with simulated_glpi() as glpi:
        for database in ("sqlite", "postgresql"):
            if database == "postgresql" and not postgres.is_here():
                figures.say("there is no PostgreSQL on this machine")
                continue
            with _installed(database, glpi) as installation:
                _measure(figures, database, installation, part)


@contextmanager
def _installed(database: str, glpi: Glpi) -> Iterator[Installation]:
    if database == "sqlite":
        with installed(glpi) as installation:
            yield installation
    else:
        with postgres.database() as url, installed(glpi, url) as installation:
            yield installation


def _measure(figures: Figures, database: str, installation: Installation, part: int) -> None:
    installation.start_web()
    bare = installation.start_bare_flask()
    path = installation.path
    for port in (bare, installation.port):
        load.send(port, webhooks.first_messages(path, _WARM_UP))
    ours, theirs, steady = [], [], []
    for _ in range(_ROUNDS):
        theirs.append(load.send(bare, webhooks.first_messages(path, _BARE // part)))
        ours.append(load.send(installation.port, webhooks.first_messages(path, _HUB // part)))
        requests = webhooks.first_messages(path, _STEADY_RATE * _STEADY_SECONDS // part)
        steady.append(load.send(installation.port, requests, rate=_STEADY_RATE))
    prefix = f"accept.{database}"
    figures.note(f"{prefix}.per_second", *(one.per_second for one in ours))
    figures.note(f"{prefix}.bare_flask_per_second", *(one.per_second for one in theirs))
    figures.note_ratio(
        f"{prefix}.ratio_to_bare_flask",
        [one.per_second for one in ours],
        [one.per_second for one in theirs],
    )
    figures.note(f"{prefix}.p50_ms", *(one.percentile(50) for one in ours))
    figures.note(f"{prefix}.p99_ms", *(one.percentile(99) for one in ours))
    figures.note(f"{prefix}.p50_ms_at_200", *(one.percentile(50) for one in steady))
    figures.note(f"{prefix}.p99_ms_at_200", *(one.percentile(99) for one in steady))
