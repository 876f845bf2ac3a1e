"""A whole hub as an operator runs it: its processes, its command line, and a GLPI beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
import requests

from hub.outbound.guard import THIS_MACHINE
from tests.support import forks

#: Seconds after which what does not come counts as lost. Nothing takes so long, but a machine with
#: much else to do may be slow.
PATIENCE = 600.0

#: Below those that Linux gives to connections and to whoever binds to port 0.
_PORTS = range(10_000, 32_000)

SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"


def free_port() -> int:
    """A port that nobody listens at, and that the system gives to nobody by itself until we do."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class Failed(AssertionError):
    """A command ended with another exit code than it should."""


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended is a zombie where nobody takes it in."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class RunningHub:
    """``hub up`` in a folder of its own, and a GLPI simulator in a process of its own.

    Its processes are forks of a warm one, or ``fresh`` interpreters as an operator's are.
    """

    def __init__(self, folder: Path, *, fresh: bool = False, **environment: str) -> None:
        self.folder = folder
        self.fresh = fresh
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_PUBLIC_URL": self.url,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
            **environment,
        }
        self.log = (folder / "hub.log").open("a+")
        self.glpi_port = free_port()
        self.glpi_url = f"http://127.0.0.1:{self.glpi_port}"
        self._children: list[subprocess.Popen[bytes] | forks.Command] = []
        self.up: subprocess.Popen[bytes] | forks.Command | None = None
        self.webhook = ""

    def __enter__(self) -> RunningHub:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for child in self._children:
            child.kill()
            child.wait()
        self.log.close()

    def start(self, *options: str) -> None:
        """Start the hub and wait until it can accept and deliver."""
        self.up = self._spawn("up", "--port", str(self.port), *options)
        give_up = time.monotonic() + PATIENCE
        while True:
            assert self.up.poll() is None, self.story()
            try:
                answer = requests.get(f"{self.url}/readyz", timeout=5).json()
                if set(answer["parts"].values()) == {"ok"}:
                    return
            except requests.RequestException:
                pass
            assert time.monotonic() < give_up, self.story()
            time.sleep(0.1)

    def stop(self) -> int | None:
        """Stop the hub as a deploy does; returns its exit code."""
        if self.up is None or self.up.poll() is not None:
            return None
        self.up.terminate()
        return self.up.wait(PATIENCE)

    def wait_until_port_is_free(self) -> None:
        """After the hub was killed: its web server is gone, too."""
        give_up = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                    return
            assert time.monotonic() < give_up, "the web server outlives its supervisor"
            time.sleep(0.1)

    def start_glpi(self, *options: str) -> None:
        self._children.append(
            self._spawn("glpi-simulator", "--port", str(self.glpi_port), *options)
        )
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(f"{self.glpi_url}/__simulator__/state", timeout=120)
                return
            except requests.RequestException:
                assert time.monotonic() < give_up, self.story()
                time.sleep(0.05)

    def connect(self, **settings: str) -> None:
        """An operator's steps: an account, a source, a hook."""
        self.run("accounts", "create", "Acme", "--region", "DE")
        source = self.run(
            *("sources", "create", "Acme", "--kind", "chatwoot"),
            *("--signing-secret", SECRET, "--base-url", "https://chat.example.com"),
        )
        self.webhook = source["webhook_url"]
        defaults = {
            "api_url": self.glpi_url,
            "app_token": "simulator-app-token",
            "user_token": "simulator-user-token",
        }
        options = [f"--set={name}={value}" for name, value in {**defaults, **settings}.items()]
        hook = self.run("hooks", "create", "Acme", "glpi", *options)
        assert hook["status"] == "active", hook

    def run(self, *arguments: str, code: int = 0) -> Any:
        """A command with ``--json``; returns what it printed."""
        done = self._command(*arguments, "--json")
        if done.returncode != code:
            raise Failed(f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout) if done.stdout else None

    def wait(self, timeout: float = PATIENCE) -> None:
        """``hub wait``."""
        done = self._command("wait", "--timeout", str(timeout))
        assert done.returncode == 0, done.stderr + self.story()

    def send(
        self, body: bytes, *, delivery_id: str = "", patience: float = 120
    ) -> requests.Response:
        """Post a webhook, signed."""
        timestamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        return requests.post(
            self.webhook,
            data=body,
            headers={
                "Content-Type": "application/json",
                "X-Chatwoot-Delivery": delivery_id or str(uuid.uuid4()),
                "X-Chatwoot-Timestamp": timestamp,
                "X-Chatwoot-Signature": f"sha256={digest.hexdigest()}",
            },
            timeout=patience,
        )

    def processes(self, command: str) -> list[psutil.Process]:
        """The hub's processes that run ``hub <command>`` (or the Redis server)."""
        assert self.up is not None
        found = []
        for child in psutil.Process(self.up.pid).children(recursive=True):
            try:
                if command in child.cmdline() or child.name() == command:
                    found.append(child)
            except psutil.NoSuchProcess:
                continue
        return found

    def kill(self, command: str) -> int:
        """``kill -9`` every process of this command; returns how many."""
        victims = self.processes(command)
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)
        return len(victims)

    def glpi(self) -> dict[str, Any]:
        """What stands in GLPI, without ids and times: the end state to compare."""
        state = requests.get(f"{self.glpi_url}/__simulator__/state", timeout=120).json()
        return end_state(state["tables"])

    def glpi_sessions(self) -> list[Any]:
        """The sessions that are open there."""
        state = requests.get(f"{self.glpi_url}/__simulator__/state", timeout=120).json()
        sessions: list[Any] = state["sessions"]
        return sessions

    def story(self) -> str:
        """The end of the log, for a failed assertion."""
        self.log.flush()
        return Path(self.log.name).read_text()[-6_000:]

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return forks.command(*arguments, environment=self.environment, timeout=2 * PATIENCE)

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes] | forks.Command:
        # The simulator prints its own tokens; the hub's log must hold none.
        log = Path(self.log.name)
        out = Path(os.devnull) if arguments[0] == "glpi-simulator" else log
        if not self.fresh:
            return forks.start(*arguments, environment=self.environment, out=out, errors=log)
        command = [sys.executable, "-m", "hub", *arguments]
        with out.open("a") as told:
            return subprocess.Popen(command, env=self.environment, stdout=told, stderr=self.log)


def is_notice(followup: dict[str, Any]) -> bool:
    """Whether the hub itself says there, to technicians, what is not proven of the person."""
    return bool(followup["is_private"]) and "not proven: " in followup["content"]


def end_state(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """GLPI's records in a form that two runs share: people by login, tickets by what they say."""
    names = {row["id"]: row["name"] for row in tables["User"]}
    emails = defaultdict(set)
    for row in tables["UserEmail"]:
        emails[row["users_id"]].add(row["email"])
    requesters = defaultdict(set)
    for row in tables["Ticket_User"]:
        requesters[row["tickets_id"]].add(names.get(row["users_id"]) or row["alternative_email"])
    followups = defaultdict(list)
    for row in sorted(tables["ITILFollowup"], key=lambda row: row["id"]):
        # Two contacts may be one person. Which of them made the record and which found it, and is
        # told so, depends on their lanes, between which there is no order.
        if not is_notice(row):
            followups[row["items_id"]].append((_plain(row["content"]), row["is_private"]))
    return {
        "users": sorted(
            (
                row["name"],
                row["firstname"],
                row["realname"],
                row["phone"],
                sorted(emails[row["id"]]),
            )
            for row in tables["User"]
            if row["id"] > 6
        ),
        "tickets": sorted(
            (
                row["name"],
                _plain(row["content"]),
                row["status"],
                row["priority"],
                sorted(requesters[row["id"]]),
                followups[row["id"]],
            )
            for row in tables["Ticket"]
        ),
    }


def _plain(content: str) -> str:
    # The name of the inbox stands in messages only; a ticket may be made before the first.
    content = re.sub(r"(Conversation \d+) in [\w .]+", r"\1", content)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content)).strip()
