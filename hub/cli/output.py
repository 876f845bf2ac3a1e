"""Printing: tables for people, JSON for scripts. Messages go to stderr."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from hub.clock import written

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show(data: Any, as_json: bool, *, columns: Sequence[str] = ()) -> None:
    """Print one mapping or a list of mappings."""
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, default=_plain))
    elif isinstance(data, Mapping):
        for name, value in data.items():
            click.echo(f"{name}: {text(value)}")
    else:
        table(data, columns)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str = "") -> None:
    """Print rows as a table."""
    if not rows:
        click.echo("(none)")
        return
    # Imported here: half of what is printed needs no table.
    from rich.console import Console
    from rich.table import Table

    names = columns or list(rows[0])
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for name in names:
        grid.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        grid.add_row(*(text(row.get(name)) for name in names))
    Console(highlight=False).print(grid)


def say(message: str) -> None:
    """A message that is not data."""
    click.echo(message, err=True)


def text(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return written(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
