"""The version before runs beside this one while a hub is upgraded, on the schema of this one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.database import db
from tests.upgrade.installation import DATA
from tests.upgrade.schema import Schema, schema, troubles

BEFORE: Schema = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
#: What looks like trouble and is none. None of its INSERTs names this column when it meets a row:
#: a name that was taken ended in a sentence, and is taken now.
BORNE = ["accounts: name are unique no more"]
_INSERT = re.compile(r'^INSERT INTO (?:public\.)?"?(\w+)"? VALUES ?\((.*?)\);$', re.M | re.S)


def test_the_schema_of_today_has_all_that_the_version_before_names(make_app) -> None:
    with make_app().app_context():
        assert list(troubles(BEFORE, schema(db.engine))) == BORNE


def test_what_the_version_before_writes_is_taken(make_app, config) -> None:
    """Every row that stands in its data, written as it does: with its own columns and no other."""
    kind = "sqlite" if config.database_url.startswith("sqlite") else "postgresql"
    written: dict[str, list[str]] = {name: [] for name in BEFORE if name != "alembic_version"}
    for table, values in _INSERT.findall((DATA / f"{kind}.sql").read_text(encoding="utf-8")):
        if table in written:
            written[table].append(values)
    assert all(written.values()), "the data has rows of every table"
    with make_app().app_context(), db.engine.begin() as connection:
        # The driver's own cursor: the rows are full of what looks like parameters.
        cursor = connection.connection.cursor()
        for table, rows in written.items():
            columns = ", ".join(BEFORE[table]["columns"])
            for values in rows:
                cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})")
        for table, rows in written.items():
            assignments = ", ".join(f"{name} = {name}" for name in BEFORE[table]["columns"])
            changed = connection.execute(text(f"UPDATE {table} SET {assignments}")).rowcount
            assert changed == len(rows), table


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda t: t.pop("links"), "links is gone"),
        (lambda t: t["hooks"]["columns"].pop("learned"), "hooks.learned is gone"),
        (
            lambda t: t["links"]["columns"]["version"].update(nullable=False),
            "links.version may be left empty no more",
        ),
        (
            lambda t: t["users"]["columns"]["email"].update(length=100),
            "users.email is shorter than it was",
        ),
        (
            lambda t: t["hooks"]["columns"].update(
                doors={"nullable": False, "default": False, "length": None}
            ),
            "hooks.doors is new, must be given, and has no default of the database's",
        ),
        (
            lambda t: t["events"]["unique"].remove(["dedupe_key", "source_id"]),
            "events: dedupe_key, source_id are unique no more",
        ),
        (
            lambda t: t["events"]["columns"]["id"].update(default=False),
            "events.id has no default of the database's any more",
        ),
    ],
)
def test_what_the_version_before_could_not_bear_is_named(
    change: Callable[[Schema], object], trouble: str
) -> None:
    today = copy.deepcopy(BEFORE)
    assert list(troubles(BEFORE, today)) == []
    change(today)
    assert list(troubles(BEFORE, today)) == [trouble]


def test_what_it_can_leave_out_may_be_new() -> None:
    today = copy.deepcopy(BEFORE)
    columns = today["hooks"]["columns"]
    columns["note"] = {"nullable": True, "default": False, "length": None}
    columns["kind"] = {"nullable": False, "default": True, "length": 10}
    today["doors"] = {"columns": {}, "unique": []}
    assert list(troubles(BEFORE, today)) == []
