"""How many worker processes, with how many threads: where the defaults of ``hub worker`` come from.

Each pair delivers the same events, in turns. Measured is what decides: deliveries a second with few
lanes and with many, and the memory of the fleet.
"""

from __future__ import annotations

from collections import defaultdict

from benchmarks.end_to_end import SERVICE_TIME, deliver
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi

#: Processes and threads of each; the first is what ``hub worker`` ships with, beside which the
#: others are shown.
_FLEETS = ((2, 16), (1, 16), (1, 32), (2, 8), (2, 32), (3, 16), (4, 8))
_LANES = (8, 32)
_ROUNDS = 3
_EVENTS = 400


def measure(figures: Figures, quick: bool) -> None:
    """All fleets, in turns."""
    speeds = defaultdict(list)
    memory = defaultdict(list)
    with simulated_glpi(SERVICE_TIME) as glpi, installed(glpi) as installation:
        installation.start_web()
        installation.start_sweeper()
        _start(installation, _FLEETS[0])
        _speed(installation, max(_LANES))  # warm
        installation.stop_workers()
        for number in range(1 if quick else _ROUNDS):
            first = number * len(_FLEETS) // _ROUNDS  # none is always the first
            for fleet in (*_FLEETS[first:], *_FLEETS[:first]):
                _start(installation, fleet)
                for lanes in _LANES:
                    speeds[fleet, lanes].append(_speed(installation, lanes))
                memory[fleet].append(_megabytes(installation))
                installation.stop_workers()
    for fleet in _FLEETS:
        prefix = f"workers.{fleet[0]}_processes_{fleet[1]}_threads"
        for lanes in _LANES:
            name = f"{prefix}.{lanes}_lanes"
            figures.note(f"{name}.per_second", *speeds[fleet, lanes])
            shipped = speeds[_FLEETS[0], lanes]
            figures.note_ratio(f"{name}.ratio_to_default", speeds[fleet, lanes], shipped)
        figures.note(f"{prefix}.fleet_rss_mb", *memory[fleet])


def _start(installation: Installation, fleet: tuple[int, int]) -> None:
    processes, threads = fleet
    installation.start_workers("--processes", str(processes), "--threads", str(threads))


def _speed(installation: Installation, lanes: int) -> float:
    installation.set_lanes(lanes)
    installation.glpi.reset()
    deliver(installation, 2 * lanes)
    return _EVENTS / deliver(installation, _EVENTS)


def _megabytes(installation: Installation) -> float:
    resident: int = sum(process.memory_info().rss for process in installation.fleet())
    return resident / (1024 * 1024)
