"""What a version relies on in the schema, as data: ``python -m tests.upgrade.schema`` prints it.

A hub is upgraded while the version before still runs, so a migration may only add what that
version can leave out, and take away what it no longer names. ``schema.json`` is that of the
version whose data stands beside it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect
from sqlalchemy.engine import Inspector

Schema = dict[str, dict[str, Any]]


def schema(engine: Engine) -> Schema:
    """Each table, those first that others refer to: its columns in order, and what is unique."""
    found = inspect(engine)
    names = [name for name, _ in found.get_sorted_table_and_fkc_names() if name is not None]
    return {n: {"columns": _columns(found, n), "unique": _unique(found, n)} for n in names}


def troubles(before: Schema, today: Schema) -> Iterator[str]:
    """What the version of ``before`` could not do with the schema of today."""
    for table, said in before.items():
        if table not in today:
            yield f"{table} is gone"
            continue
        old, new = said["columns"], today[table]["columns"]
        for name, column in old.items():
            if name not in new:
                yield f"{table}.{name} is gone"
            else:
                yield from _narrower(f"{table}.{name}", column, new[name])
        for name in sorted(new.keys() - old.keys()):
            if not new[name]["nullable"] and not new[name]["default"]:
                yield f"{table}.{name} is new, must be given, and has no default of the database's"
        # An INSERT that meets a row already names these columns: it needs them to be unique.
        for columns in said["unique"]:
            if columns not in today[table]["unique"]:
                yield f"{table}: {', '.join(columns)} are unique no more"


def _narrower(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old["nullable"] and not new["nullable"]:
        yield f"{name} may be left empty no more"
    if old["default"] and not new["default"]:
        yield f"{name} has no default of the database's any more"
    if new["length"] is not None and new["length"] < (old["length"] or float("inf")):
        yield f"{name} is shorter than it was"


def _columns(found: Inspector, table: str) -> dict[str, Any]:
    keys = set(found.get_pk_constraint(table)["constrained_columns"])
    keys -= {name for key in found.get_foreign_keys(table) for name in key["constrained_columns"]}
    return {
        column["name"]: {
            "nullable": column["nullable"],
            "default": column["default"] is not None or _counts_itself(column, keys),
            "length": getattr(column["type"], "length", None),
        }
        for column in found.get_columns(table)
    }


def _counts_itself(column: Mapping[str, Any], keys: set[str]) -> bool:
    """SQLite numbers the rows of a table with one whole number as its key."""
    return keys == {column["name"]} and column["type"].python_type is int


def _unique(found: Inspector, table: str) -> list[list[str]]:
    sets = {tuple(sorted(found.get_pk_constraint(table)["constrained_columns"]))}
    sets |= {tuple(sorted(u["column_names"])) for u in found.get_unique_constraints(table)}
    sets |= {
        tuple(sorted(name for name in index["column_names"] if name))
        for index in found.get_indexes(table)
        if index["unique"] and not any(o.endswith("_where") for o in index["dialect_options"])
    }
    return sorted(list(columns) for columns in sets if columns)


def _main() -> None:
    import migrations
    from hub.app import create_app
    from hub.config import Config
    from hub.database import db
    from hub.plugins import Registry

    with tempfile.TemporaryDirectory() as folder:
        config = Config.from_environment({"HUB_DATA_DIR": str(Path(folder))})
        with create_app(config, Registry({}, ())).app_context():
            migrations.upgrade(db.engine)
            print(json.dumps(schema(db.engine), indent=1))
            db.engine.dispose()


if __name__ == "__main__":
    _main()
