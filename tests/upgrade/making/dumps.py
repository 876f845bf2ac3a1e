"""The databases and the CRMs as text."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import migrations
from tests.conftest import _postgres_programs


def sqlite_text(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        text = "\n".join(connection.iterdump())
        again = sqlite3.connect(":memory:")
        again.executescript(text)
        master = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert again.execute(master).fetchall() == connection.execute(master).fetchall()
    return text + "\n"


def postgresql_text(url: str) -> str:
    programs = _postgres_programs()
    assert programs is not None
    options = ("--inserts", "--no-owner", "--no-privileges", "--no-comments")
    text = subprocess.run(
        [str(programs / "pg_dump"), *options, url], check=True, capture_output=True, text=True
    ).stdout
    # What only psql understands, and settings that only some servers know.
    left_out = re.compile(r"^(\\.*|SET .*|SELECT pg_catalog\.set_config.*|--.*)\n", re.MULTILINE)
    return re.sub(r"\n{2,}", "\n", left_out.sub("", text))


def without_paths(text: str) -> str:
    """Tracebacks name where the code stood."""
    return text.replace(str(Path(migrations.__file__).parents[1]), "/srv/hub")


def remote(servers: dict[str, Any]) -> dict[str, Any]:
    """What stands in the CRMs, so that it can be made again."""
    glpi = [
        {"method": r.method, "path": r.path, "body": json.loads(r.text)}
        for r in servers["glpi"].requests()
        if r.method in ("POST", "PUT", "DELETE")
        and (r.status in (200, 201) or "drop_after" in r.faults)
        and r.text
    ]
    leads = [
        {name: row[name] for name in ("ProspectID", "EmailAddress", "FirstName", "LastName")}
        for row in servers["leadsquared"].leads()
    ]
    types = [
        json.loads(r.text)
        for r in servers["leadsquared"].requests()
        if r.path.endswith("/CreateType")
    ]
    return {"glpi": glpi, "leads": leads, "activity_types": types}
