"""``python -m tests.stations``: the functions of the hub that one message passes.

A whole hub (``hub up``: web, one worker, sweeper, Redis, SQLite) is given its first
``message_created`` over HTTP and delivers it to a simulated GLPI. Each function of ours that is
entered meanwhile, in the web server or the worker, is a station, and counts once. What a plugin
sees (``hub/sdk``) and the plugins themselves do not count, nor does what a worker does every few
seconds anyway (its thread ``beat``).

``--hub PATH`` traces another checkout, which may be older: only its command line is used.

    git worktree add /tmp/then 3733788 && python -m tests.stations --hub /tmp/then
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import requests
from hub_glpi.simulator import APP_TOKEN, USER_TOKEN, GlpiSimulator

from hub.outbound.guard import THIS_MACHINE
from hub.sdk.testing import payloads
from tests.support.installation import PATIENCE, SECRET, free_port

HERE = Path(__file__).parents[1]
#: Python runs this at its start, in each process of the hub.
TRACER = Path(__file__).parent / "support" / "stations"
#: Seconds without a new station after which there will be none.
QUIET = 3.0


class Station(NamedTuple):
    """A function, in the order in which it was entered first."""

    file: str
    function: str


def trace(hub: Path = HERE) -> list[Station]:
    """The stations of one message in a checkout."""
    # A short path: the name of a Unix socket may have 107 characters only.
    with tempfile.TemporaryDirectory(prefix="hub-") as folder, GlpiSimulator() as glpi:
        traced = _Traced(hub, Path(folder))
        try:
            return traced.deliver(glpi)
        finally:
            traced.stop()


class _Traced:
    """The hub of a checkout, with tracing in its processes."""

    def __init__(self, hub: Path, folder: Path) -> None:
        self._hub = hub
        self._url = f"http://127.0.0.1:{free_port()}"
        self._entered = folder / "stations"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "PYTHONPATH": os.pathsep.join(map(str, (TRACER, hub, hub / "plugins" / "glpi"))),
            "STATIONS_OF": str(hub / "hub"),
            "STATIONS_FILE": str(self._entered),
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_PUBLIC_URL": self._url,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
        }
        self._log = (folder / "hub.log").open("a+")
        port = self._url.rpartition(":")[2]
        self._up = subprocess.Popen(
            _command("up", "--port", port, "--processes", "1"),
            cwd=hub,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )

    def deliver(self, glpi: GlpiSimulator) -> list[Station]:
        """Send a message, and wait until it is in GLPI and the hub is at rest."""
        self._wait_until_ready()
        self._run("accounts", "create", "Acme", "--region", "DE")
        source = self._run(
            *("sources", "create", "Acme", "--kind", "chatwoot", "--signing-secret", SECRET),
            *("--base-url", "https://chat.example.com"),
        )
        settings = {"api_url": glpi.url, "app_token": APP_TOKEN, "user_token": USER_TOKEN}
        options = [f"--set={name}={value}" for name, value in settings.items()]
        self._run("hooks", "create", "Acme", "glpi", *options)
        self._entered.touch()  # from now on
        _send(source["webhook_url"], payloads.load("message_created_incoming_widget"))
        self._wait_until_quiet()
        assert len(glpi.tickets()) == 1, self._story()
        lines = self._entered.read_text().splitlines()
        return list(dict.fromkeys(Station(*line.split("\t")) for line in lines))

    def stop(self) -> None:
        self._up.terminate()
        self._up.wait(PATIENCE)
        self._log.close()

    def _run(self, *arguments: str) -> Any:
        done = subprocess.run(
            _command(*arguments, "--json"),
            cwd=self._hub,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr + self._story()
        return json.loads(done.stdout)

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while True:
            assert self._up.poll() is None, self._story()
            try:
                answer = requests.get(f"{self._url}/readyz", timeout=PATIENCE).json()
                if set(answer["parts"].values()) == {"ok"}:
                    return
            except requests.RequestException:
                pass
            assert time.monotonic() < give_up, self._story()
            time.sleep(0.1)

    def _wait_until_quiet(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while not any(row["state"] == "done" for row in self._run("deliveries", "list")):
            assert time.monotonic() < give_up, self._story()
        size = -1
        while size != (size := self._entered.stat().st_size):
            time.sleep(QUIET)

    def _story(self) -> str:
        return Path(self._log.name).read_text()[-6_000:]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hub", *arguments]


def _send(url: str, payload: dict[str, Any]) -> None:
    """Post the webhook as Chatwoot does."""
    body, timestamp = json.dumps(payload).encode(), str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    answer = requests.post(
        url,
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-Chatwoot-Delivery": "the-first",
            "X-Chatwoot-Timestamp": timestamp,
            "X-Chatwoot-Signature": f"sha256={digest.hexdigest()}",
        },
        timeout=PATIENCE,
    )
    assert answer.status_code == 202, answer.text


def told(stations: Sequence[Station]) -> str:
    """The stations by file, in order, and how many there are."""
    by_file: dict[str, list[str]] = {}
    for station in stations:
        by_file.setdefault(station.file, []).append(station.function)
    lines = [f"{file} ({len(names)}): {', '.join(names)}" for file, names in by_file.items()]
    return "\n".join([*lines, f"{len(stations)} stations in {len(by_file)} files"])


@click.command()
@click.option("--hub", type=click.Path(exists=True, path_type=Path), default=HERE)
def main(hub: Path) -> None:
    """Trace one message, and tell its stations."""
    click.echo(told(trace(hub.resolve())))


if __name__ == "__main__":
    main()
