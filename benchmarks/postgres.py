"""A PostgreSQL server for one run, or the one that HUB_TEST_POSTGRES_URL names."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def is_here() -> bool:
    """Whether this machine has a PostgreSQL."""
    return bool(os.environ.get("HUB_TEST_POSTGRES_URL") or _programs())


@contextmanager
def database() -> Iterator[str]:
    """The URL of a new, empty database. Its commits reach the disk, as ours on SQLite do."""
    with _server() as pattern:
        name = f"hub_bench_{uuid.uuid4().hex[:12]}"
        _execute(pattern, f"CREATE DATABASE {name}")
        try:
            yield pattern.replace("NAME", name)
        finally:
            _execute(pattern, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _server() -> Iterator[str]:
    given = os.environ.get("HUB_TEST_POSTGRES_URL")
    if given:
        yield f"{given.rstrip('/')}/NAME"
        return
    programs = _programs()
    assert programs is not None, "no PostgreSQL is installed"
    # The server refuses to run as root; Debian's package brings a user for it.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="hubpg-") as folder:
        if as_user:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        _run(*as_user, f"{programs}/initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8")
        control = [*as_user, f"{programs}/pg_ctl", "-D", data, "-w"]
        options = f"-k {folder} -c listen_addresses='' -c max_connections=200"
        _run(*control, "-o", options, "-l", f"{folder}/log", "start")
        try:
            yield f"postgresql://hub@/NAME?host={folder}"
        finally:
            _run(*control, "-m", "immediate", "stop")


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _execute(pattern: str, statement: str) -> None:
    with psycopg.connect(pattern.replace("NAME", "postgres"), autocommit=True) as connection:
        connection.execute(statement)
