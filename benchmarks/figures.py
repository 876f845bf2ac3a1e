"""What was measured: named figures, their targets, and the two forms in which they are shown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure should keep: at least, or at most."""

    bound: float
    at_most: bool = False

    def is_met_by(self, value: float) -> bool:
        """Whether the figure keeps it."""
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


TARGETS = {
    "accept.sqlite.ratio_to_bare_flask": Target(0.30),
    "accept.postgresql.ratio_to_bare_flask": Target(0.20),
    "accept.sqlite.p99_ms_at_200": Target(50, at_most=True),
    "accept.postgresql.p99_ms_at_200": Target(50, at_most=True),
    "end_to_end.ratio_to_ideal": Target(0.85),
    "end_to_end.ratio_to_ideal_32": Target(0.85),
    "end_to_end.ratio_to_literal_baseline": Target(25),
    "calls_per_event.known_contact_conversation": Target(1, at_most=True),
    "calls_per_event.unknown_contact_conversation": Target(3, at_most=True),
    "cpu_ms_per_event": Target(3, at_most=True),
    "worker_rss_mb": Target(100, at_most=True),
    "fleet_rss_mb_32_lanes": Target(300, at_most=True),
    "flatness.accept": Target(0.9),
    "flatness.drain": Target(0.9),
    "neighbour.p95_ratio": Target(1.5, at_most=True),
    "pages.slowest_ms": Target(100, at_most=True),
    "starts.help.ratio_to_flask_and_sqlalchemy": Target(1, at_most=True),
    "starts.status.ratio_to_orm_and_redis": Target(1.3, at_most=True),
}


@dataclass
class Figures:
    """The figures of one run. ``say`` tells of each as it comes."""

    say: Callable[[str], None]
    values: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, *measured: float) -> float:
        """Keep the median of what was measured."""
        value = self.values[name] = statistics.median(measured)
        spread = f" ({min(measured):.4g} to {max(measured):.4g})" if len(measured) > 1 else ""
        self.say(f"{name} = {value:.4g}{spread}")
        return value

    def note_ratio(self, name: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
        """Keep the ratio of what was measured side by side."""
        self.note(name, *(our / their for our, their in zip(ours, theirs, strict=True)))

    def write(self, path: Path) -> None:
        """As JSON, for programs. Figures of earlier runs that were not measured now stay."""
        path.parent.mkdir(exist_ok=True)
        before = json.loads(path.read_text()) if path.exists() else {}
        rounded = {name: float(f"{value:.4g}") for name, value in self.values.items()}
        path.write_text(json.dumps({**before, **rounded}, indent=2, sort_keys=True) + "\n")

    def show(self) -> None:
        """As a table, for people."""
        table = Table("figure", "value", "target", "")
        for name, value in sorted(self.values.items()):
            target = TARGETS.get(name)
            verdict = "" if target is None else "met" if target.is_met_by(value) else "[bold]missed"
            table.add_row(name, f"{value:.4g}", str(target or ""), verdict)
        Console().print(table)
