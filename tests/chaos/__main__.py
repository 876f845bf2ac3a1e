"""``make chaos``: the long form, with an account as a table. Exit code 0 only when it is clean."""

from __future__ import annotations

import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import postgres
from tests.chaos.run import Account, run


@click.command()
@click.option("--events", default=10_000, show_default=True)
@click.option("--seed", type=int, help="Repeats the order of an earlier run's disturbances.")
@click.option("--postgresql", is_flag=True, help="On a PostgreSQL of its own, not on SQLite.")
def main(events: int, seed: int | None, postgresql: bool) -> None:
    """Send events while workers, Redis, sweeper, web server and GLPI fail at random."""
    seed = random.randrange(1_000_000) if seed is None else seed
    console = Console()
    with (
        postgres.database() if postgresql else nullcontext("") as database_url,
        tempfile.TemporaryDirectory() as folder,
        Progress(console=console) as bar,
    ):
        task = bar.add_task(f"seed {seed}", total=events)
        account = run(
            Path(folder),
            events=events,
            seed=seed,
            progress=lambda sent: bar.advance(task, sent),
            settle=3_600,
            database_url=database_url,
        )
    console.print(_table(account))
    for kind in ("lost", "doubled", "disordered"):
        for what in getattr(account, kind)[:20]:
            console.print(f"{kind}: {what}")
    sys.exit(0 if account.clean else 1)


def _table(account: Account) -> Table:
    table = Table("what", "count", title=f"chaos with seed {account.seed}")
    table.add_row("events", f"{account.events:,}")
    table.add_row("seconds", f"{account.seconds:,.0f}")
    for name, count in sorted(account.disturbances.items()):
        table.add_row(name, str(count))
    table.add_row("calls to GLPI", f"{account.calls:,}")
    table.add_row("calls broken by GLPI", f"{account.faults:,}")
    for kind in ("lost", "doubled", "disordered"):
        table.add_row(kind, str(len(getattr(account, kind))))
    for name, count in account.unsettled.items():
        table.add_row(f"left {name}", str(count))
    return table


if __name__ == "__main__":
    main()
