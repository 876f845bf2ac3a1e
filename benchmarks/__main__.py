"""``python -m benchmarks``: measure, show a table, and write ``build/bench.json``."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import click

from benchmarks import (
    accept,
    calls,
    end_to_end,
    flatness,
    latency,
    literal,
    neighbour,
    pages,
    starts,
    traffic,
    workers,
)
from benchmarks.figures import Figures

BENCHMARKS = {
    "accept": accept.measure,
    "calls": calls.measure,
    "end_to_end": end_to_end.measure,
    "literal": literal.measure,
    "latency": latency.measure,
    "flatness": flatness.measure,
    "neighbour": neighbour.measure,
    "pages": pages.measure,
    "starts": starts.measure,
    "traffic": traffic.measure,
    "workers": workers.measure,
}
RESULT = Path("build/bench.json")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(tuple(BENCHMARKS)))
@click.option("--quick", is_flag=True, help="Smaller loads, and a tenth of the history.")
def main(names: tuple[str, ...], quick: bool) -> None:
    """Run the benchmarks of these NAMES, or all of them."""
    # Stopped by a signal, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures = Figures(say=lambda text: click.echo(f"  {text}", err=True))
    for name in names or BENCHMARKS:
        started = time.monotonic()
        click.echo(f"{name} ...", err=True)
        BENCHMARKS[name](figures, quick)
        click.echo(f"{name} took {time.monotonic() - started:.0f} s", err=True)
    figures.write(RESULT)
    figures.show()


if __name__ == "__main__":
    main()
