"""From the webhook to the CRM: new customers write their first message, at 20 ms a call.

That is the dearest event there is (three calls: look for the user, make one, make the ticket), and
the one that whoever writes such an integration by hand begins with.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import ideal, load, webhooks
from benchmarks.figures import Figures
from benchmarks.ideal import Person
from benchmarks.installation import Installation, cpu_seconds, installed, simulated_glpi

SERVICE_TIME = 0.020
_ROUNDS = 3
_LANES = (1, 2, 4, 8, 16, 32)
_EVENTS = 300
#: With few lanes the time goes by in waiting, and fewer events tell as much.
_EVENTS_OF_FEW_LANES = {1: 60, 2: 120}
#: Lanes of the longer runs, which carry the headline figures.
_MANY_LANES = (8, 32)
_MANY_EVENTS = 3_000


def measure(figures: Figures, quick: bool) -> None:
    """The hub and the hand-written client, in turns."""
    with simulated_glpi(SERVICE_TIME) as glpi, installed(glpi) as installation:
        installation.start_web()
        installation.start_sweeper()
        installation.start_workers()
        for lanes in () if quick else _LANES:
            _compare(figures, installation, lanes, _EVENTS_OF_FEW_LANES.get(lanes, _EVENTS))
        cpu: list[float] = []
        for lanes in _MANY_LANES:
            cpu += _compare(figures, installation, lanes, _EVENTS if quick else _MANY_EVENTS)
        figures.note("cpu_ms_per_event", *cpu)
        _note_memory(figures, installation)


def _compare(
    figures: Figures, installation: Installation, lanes: int, events: int
) -> Sequence[float]:
    """Three rounds; returns the milliseconds of CPU that the workers used for an event."""
    installation.set_lanes(lanes)
    ours, theirs, cpu = [], [], []
    for _ in range(_ROUNDS):
        installation.glpi.reset()
        people = [Person(f"by.hand.{number}@example.com") for number in range(events)]
        theirs.append(events / ideal.deliver(installation.glpi.url, people, lanes))
        installation.glpi.reset()
        deliver(installation, 2 * lanes)
        used = cpu_seconds(installation.workers())
        ours.append(events / deliver(installation, events))
        cpu.append((cpu_seconds(installation.workers()) - used) / events * 1000)
    prefix = f"end_to_end.{events}_events.{lanes}_lanes"
    figures.note(f"{prefix}.per_second", *ours)
    figures.note(f"{prefix}.ideal_per_second", *theirs)
    figures.note_ratio(f"{prefix}.ratio_to_ideal", ours, theirs)
    figures.note(f"{prefix}.cpu_ms_per_event", *cpu)
    name = {8: "end_to_end.ratio_to_ideal", 32: "end_to_end.ratio_to_ideal_32"}.get(lanes)
    if name:
        figures.note_ratio(name, ours, theirs)
    return cpu


def deliver(installation: Installation, events: int) -> float:
    """Send so many webhooks; returns the seconds from the first to the last delivery."""
    requests = webhooks.first_messages(installation.path, events)
    sent = load.send(installation.port, requests, connections=8)
    installation.wait_until_delivered()
    return installation.last_delivery() - sent.began


def _note_memory(figures: Figures, installation: Installation) -> None:
    """After the rounds with 32 lanes, so that everything has been used."""
    mega = 1024 * 1024
    workers = [process.memory_full_info() for process in installation.workers()]
    fleet = [process.memory_full_info() for process in installation.fleet()]
    whole = [process.memory_full_info() for process in installation.all_processes()]
    figures.note("worker_rss_mb", max(one.rss for one in workers) / mega)
    figures.note("worker_pss_mb", max(one.pss for one in workers) / mega)
    figures.note("fleet_rss_mb_32_lanes", sum(one.rss for one in fleet) / mega)
    figures.note("fleet_pss_mb_32_lanes", sum(one.pss for one in fleet) / mega)
    figures.note("installation_pss_mb", sum(one.pss for one in whole) / mega)
