"""``python -m tests.real``: the day's conversations, one line each: what should stand and does."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.real.day import lived
from tests.real.expected import scenes
from tests.real.standing import Line, in_glpi, in_leadsquared


def table(title: str, lines: Sequence[Line]) -> str:
    """The lines as a text table."""
    rows = [("scene", "should stand", "stands", "wrong")]
    rows += [
        (line.scene.name, line.should, line.stands, "; ".join(line.wrong) or "-") for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    right = sum(line.is_right for line in lines)
    return "\n".join(
        [f"{title}: {right} of {len(lines)} right"]
        + [
            " | ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
            )
            for row in rows
        ]
    )


@click.command()
@click.option("--seed", type=int, help="Shuffles the webhooks by up to 0.9 seconds.")
@click.option("--patience", type=float, help="Another order.patience than the hub's.")
def main(seed: int | None, patience: float | None) -> None:
    """Live the recorded day, and tell what stands."""
    policy = {} if patience is None else {"HUB_POLICY": f"order.patience={patience}"}
    with tempfile.TemporaryDirectory(prefix="day-") as folder:
        (outcome,) = lived(Path(folder), [seed], ("glpi", "leadsquared"), **policy)
    glpi = [in_glpi(scene, outcome["glpi"]["tables"]) for scene in scenes()]
    leads = [in_leadsquared(scene, outcome["leadsquared"]) for scene in scenes()]
    print(table("GLPI", glpi), table("LeadSquared", leads), sep="\n\n")
    sys.exit(0 if all(line.is_right for line in (*glpi, *leads)) else 1)


if __name__ == "__main__":
    main()
