"""The door outlives its processes: what arrives while none of them runs waits, and is answered.

Chatwoot sends each webhook once. So the web processes are killed while webhooks come: none may be
refused, and none that was answered may be missing. With ``HUB_TEST_LONG`` for minutes, with fresh
processes and Chatwoot's five seconds; then also with everything killed but ``hub up``.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil
import pytest
import requests

from hub.sdk.testing import payloads
from tests.support.installation import PATIENCE, SECRET, RunningHub, lives

IS_LONG = bool(os.environ.get("HUB_TEST_LONG"))
#: Webhooks a second, and how many can be on their way at once.
RATE, SENDERS = 20, 200
#: How often the web processes are killed, seconds between, and how long the sender waits.
KILLS, PAUSE, WAIT = (18, 10.0, 5.0) if IS_LONG else (6, 1.0, PATIENCE)


class End(Enum):
    """What became of a webhook."""

    ACCEPTED = "accepted"
    #: Nobody listened.
    REFUSED = "refused"
    #: Its process was killed while it stood in it.
    CUT = "cut"
    #: The sender had no more patience.
    LATE = "late"


@dataclass(frozen=True)
class Sent:
    """One webhook, with the moments at which it began and ended."""

    delivery_id: str
    began: float
    ended: float
    end: End


class Chatwoot:
    """Sends webhooks without a pause, each over a connection of its own, and each once."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub
        self._stopping = threading.Event()
        self.sent: list[Sent] = []

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Sends inside the block; at its end all have their answer."""
        with ThreadPoolExecutor(SENDERS) as pool:
            clock = threading.Thread(target=self._begin, args=(pool,))
            clock.start()
            try:
                yield
            finally:
                self._stopping.set()
                clock.join()

    def of(self, end: End) -> list[Sent]:
        """Those that ended so."""
        return [sent for sent in self.sent if sent.end is end]

    def story(self) -> str:
        """For who looks at a long run."""
        counts = {end.value: len(self.of(end)) for end in End}
        slowest = max(sent.ended - sent.began for sent in self.sent)
        return f"{len(self.sent)} webhooks: {counts}; slowest answer {slowest:.1f} s"

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        number = 0
        while not self._stopping.wait(1 / RATE):
            pool.submit(self._send, number)
            number += 1

    def _send(self, number: int) -> None:
        body = {**payloads.load("contact_created_full"), "id": 10_000 + number}
        delivery_id, began = str(uuid.uuid4()), time.monotonic()
        end = self._post(json.dumps(body).encode(), delivery_id)
        self.sent.append(Sent(delivery_id, began, time.monotonic(), end))

    def _post(self, body: bytes, delivery_id: str) -> End:
        try:
            answer = self._hub.send(body, delivery_id=delivery_id, patience=WAIT)
        except requests.Timeout:
            return End.LATE
        except requests.ConnectionError as error:
            return End.REFUSED if "refused" in str(error) else End.CUT
        assert answer.status_code == 202, answer.text
        return End.ACCEPTED


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path, fresh=IS_LONG) as hub:
        hub.start("--processes", "1")
        hub.run("accounts", "create", "Acme", "--region", "DE")
        source = hub.run(
            *("sources", "create", "Acme", "--kind", "chatwoot", "--signing-secret", SECRET)
        )
        hub.webhook = source["webhook_url"]
        yield hub


def stored(hub: RunningHub) -> set[str]:
    with closing(sqlite3.connect(hub.folder / "data" / "hub.db")) as database:
        return {row[0] for row in database.execute("SELECT delivery_id FROM events")}


def kill(processes: list[psutil.Process]) -> float:
    """SIGKILL; answers when the last of them was hit."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    return time.monotonic()


def wait_for(reached, what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < give_up, what
        time.sleep(0.05)


def answers(hub: RunningHub) -> bool:
    return requests.get(f"{hub.url}/healthz", timeout=PATIENCE).ok


def kill_again_and_again(hub: RunningHub, victims) -> None:
    chatwoot, kills = Chatwoot(hub), []
    with chatwoot.sending():
        for _ in range(KILLS):
            time.sleep(PAUSE)
            wait_for(lambda: hub.processes("web"), hub.story())
            kills.append(kill(victims()))
        answers(hub)
    told = stored(hub)
    late = [sent for sent in chatwoot.of(End.LATE) if sent.delivery_id in told]
    print(f"{chatwoot.story()}; {len(late)} of the late ones are stored all the same")
    assert chatwoot.of(End.REFUSED) == []
    assert {sent.delivery_id for sent in chatwoot.of(End.ACCEPTED)} <= told
    assert chatwoot.of(End.ACCEPTED)
    # Cut is only what stood in a process when that was killed.
    for sent in chatwoot.of(End.CUT):
        assert any(sent.began <= moment and sent.ended >= moment - 1 for moment in kills), sent
    if not IS_LONG:  # five seconds are too short where a start takes longer than that
        assert chatwoot.of(End.LATE) == []


@pytest.mark.parametrize("all_of_it", [False, True] if IS_LONG else [False])
def test_killed_web_processes_refuse_nothing_and_lose_nothing(hub, all_of_it):
    def victims():
        if all_of_it:
            return psutil.Process(hub.up.pid).children(recursive=True)
        return hub.processes("web")

    kill_again_and_again(hub, victims)


def test_a_killed_worker_of_the_web_server_is_replaced_by_the_same_server(hub):
    server, *workers = hub.processes("web")
    kill(workers[:1])
    wait_for(lambda: len(psutil.Process(server.pid).children()) == len(workers), hub.story())
    assert answers(hub)
    assert hub.processes("web")[0] == server


def test_what_a_killed_web_server_leaves_behind_ends(hub):
    server, *workers = hub.processes("web")
    assert workers
    kill([server])
    wait_for(lambda: not any(lives(worker.pid) for worker in workers), hub.story())
    assert answers(hub)
    assert not {server, *workers} & set(hub.processes("web"))


#: As systemd starts a process with a socket: it stands at descriptor 3.
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "hub", *sys.argv[2:]])
"""


@pytest.mark.parametrize(("command", "family"), [("web", "unix"), ("up", "inet"), ("up", "unix")])
def test_a_socket_of_systemd_is_answered_and_stays(command, family, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
        "HUB_DATA_DIR": str(tmp_path / "data"),
    }
    kind, address = socket.AF_INET, ("127.0.0.1", 0)
    if family == "unix":
        kind, address = socket.AF_UNIX, str(tmp_path / "door")
    with socket.create_server(address, family=kind) as opened, socket.socket(kind) as waiting:
        # It comes before anybody answers.
        waiting.settimeout(PATIENCE)
        waiting.connect(opened.getsockname())
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
        with (tmp_path / "log").open("w+") as told:
            process = subprocess.Popen(
                [sys.executable, "-c", AS_SYSTEMD, str(opened.fileno()), command],
                env=environment,
                pass_fds=[opened.fileno()],
                stdout=told,
                stderr=told,
            )
            try:
                assert b" 200 OK" in waiting.recv(4096), (tmp_path / "log").read_text()
            finally:
                process.terminate()
                process.wait(PATIENCE)
        with socket.socket(kind) as next_one:
            next_one.connect(opened.getsockname())  # nobody has removed it
