"""Flatness: what a million stored events cost those that come after them."""

from __future__ import annotations

import time

from benchmarks import history, load, webhooks
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi

_ROUNDS = 3
_FEW, _MANY = 1_000, 1_000_000
_LOAD, _WARM_UP = 500, 100


def measure(figures: Figures, quick: bool) -> None:
    """Accepting and draining with few and with many stored events, in turns."""
    with (
        simulated_glpi() as glpi,
        installed(glpi) as young,
        installed(glpi) as old,
    ):
        for installation, events in ((young, _FEW), (old, _MANY // 10 if quick else _MANY)):
            started = time.monotonic()
            history.write(installation.app, events)
            figures.say(f"{events} stored events made in {time.monotonic() - started:.0f} s")
            installation.start_web()
            installation.start_sweeper()
            _round(installation, _WARM_UP)
        rounds = [(_round(young, _LOAD), _round(old, _LOAD)) for _ in range(_ROUNDS)]
    accepts, drains = zip(*((o[0] / y[0], o[1] / y[1]) for y, o in rounds), strict=True)
    figures.note("flatness.accept", *accepts)
    figures.note("flatness.drain", *drains)


def _round(installation: Installation, events: int) -> tuple[float, float]:
    """Events a second: accepted while no worker is there, then drained by the fleet."""
    installation.glpi.reset()
    accepted = load.send(installation.port, webhooks.first_messages(installation.path, events))
    began = time.time()
    installation.start_workers()
    installation.wait_until_delivered()
    installation.stop_workers()
    return accepted.per_second, events / (installation.last_delivery() - began)
