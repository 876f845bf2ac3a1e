"""A hub of any version, driven by its commands only: ``hub up`` of the checkout that is given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
import requests
from sqlalchemy import create_engine, text

from benchmarks import webhooks
from benchmarks.installation import Glpi, Lost, free_port, wait_for

#: Seconds that a load may take to be delivered.
_PATIENCE = 600.0
#: States of deliveries that still go by themselves.
_OPEN = "('pending', 'running', 'waiting')"
#: What a process is, by a word of its command line; the first that is found.
_KINDS = ("redis", "sweeper", "worker", "web")


class Checkout:
    """An installation in a folder of its own, with one Chatwoot source and one GLPI hook."""

    def __init__(self, python: Path, folder: Path, database_url: str, glpi: Glpi) -> None:
        self._python = python
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "HUB_DATA_DIR": str(folder),
            "HUB_DATABASE_URL": database_url,
            # As the version before wrote it, and the version after still reads it.
            "HUB_OUTBOUND_ALLOW": "127.0.0.0/8",
        }
        # Not where this was called: Python would take the hub from there.
        self._folder = folder
        self._log = (folder / "hub.log").open("w")
        self.port = free_port()
        self._hub("db", "upgrade")
        self._hub("accounts", "create", "Acme", "--region", "DE")
        source = self._hub(
            *("sources", "create", "Acme", "--signing-secret", webhooks.SECRET),
            *("--base-url", "https://chat.example.com", "--json"),
        )
        settings = {
            "api_url": glpi.url,
            "app_token": "simulator-app-token",
            "user_token": "simulator-user-token",
            "enable_ticket_sync": "true",
            "enable_followup_sync": "true",
        }
        options = [part for item in settings.items() for part in ("--set", "=".join(item))]
        self._hub("hooks", "create", "Acme", "glpi", *options)
        self.path = urlsplit(source["webhook_url"]).path
        url = database_url or f"sqlite:///{next(folder.glob('*.db'))}"
        self._engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        self._up: subprocess.Popen[bytes] | None = None

    def start(self, lanes: int, policy: str = "") -> None:
        """``hub up`` as it ships but for this policy; the hook may have so many lanes in progress
        at once."""
        with self._engine.begin() as connection:
            connection.execute(text(f"UPDATE hooks SET concurrency = {lanes:d}"))
        self._up = subprocess.Popen(
            [str(self._python), "-m", "hub", "up", "--port", str(self.port)],
            env={**self._environment, "HUB_POLICY": policy},
            cwd=self._folder,
            stdout=self._log,
            stderr=self._log,
        )
        wait_for(lambda: requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok)
        wait_for(lambda: len(self.cpu_seconds()) > len(_KINDS))

    def stop(self) -> None:
        """Stop it as a person does."""
        if self._up is not None:
            self._up.send_signal(signal.SIGTERM)
            self._up.wait(90)
            self._up = None

    def close(self) -> None:
        """Stop it, and let go of its database."""
        self.stop()
        self._engine.dispose()
        self._log.close()

    def cpu_seconds(self) -> Mapping[str, float]:
        """User and system time so far, by kind of process."""
        used: dict[str, float] = defaultdict(float)
        for kind, process in self._processes():
            times = process.cpu_times()
            used[kind] += times.user + times.system
        return used

    def memory(self) -> float:
        """Bytes of the whole installation: what its processes share counts once."""
        return float(sum(process.memory_full_info().pss for _, process in self._processes()))

    def wait_until_delivered(self) -> None:
        """Return when nothing is owed any more.

        :raises Lost: it takes too long, or some deliveries are dead.
        """
        give_up = time.monotonic() + _PATIENCE
        while owed := self._count(f"deliveries WHERE state IN {_OPEN}"):
            if time.monotonic() > give_up:
                raise Lost(f"{owed} deliveries are not done after {_PATIENCE:g} seconds")
            time.sleep(0.1)
        if dead := self._count("deliveries WHERE state = 'dead'"):
            raise Lost(f"{dead} deliveries are dead")

    def last_event(self) -> int:
        """The number of the newest event."""
        return self._count("(SELECT id FROM events UNION ALL SELECT 0) AS ids", "max(id)")

    def deliveries(self, since: int) -> list[tuple[str, float, float]]:
        """Of each delivery that was done of the events after this number: the event's name, and
        when it was received and the delivery was finished, in unix seconds."""
        query = text(
            "SELECT events.name, events.received_at, deliveries.finished_at FROM deliveries"
            " JOIN events ON events.id = deliveries.event_id"
            " WHERE deliveries.finished_at IS NOT NULL AND events.id > :since"
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"since": since}).all()
        return [(row[0], row[1] / 1e6, row[2] / 1e6) for row in rows]

    def _count(self, rows: str, what: str = "count(*)") -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(text(f"SELECT {what} FROM {rows}")).scalar_one())

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        assert self._up is not None
        up = psutil.Process(self._up.pid)
        yield "up", up
        for process in up.children(recursive=True):
            try:
                words = " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
            yield next((kind for kind in _KINDS if kind in words), "other"), process

    def _hub(self, *arguments: str) -> Any:
        done = subprocess.run(
            [str(self._python), "-m", "hub", *arguments],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"hub {' '.join(arguments[:2])}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout) if "--json" in arguments else None


@contextmanager
def checkout(python: Path, glpi: Glpi, database_url: str = "") -> Iterator[Checkout]:
    """An installation for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    try:
        hub = Checkout(python, folder, database_url, glpi)
        try:
            yield hub
        finally:
            hub.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
