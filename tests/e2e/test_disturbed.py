"""The recorded events through a whole hub, which is disturbed on the way: the end is the same."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from hub.config import Config
from hub.queue import embedded
from hub.sdk.testing import payloads
from tests.support.installation import RunningHub

#: A merge moves a conversation into another contact's lane, and between lanes there is no order.
#: So this one is sent when the others have arrived.
MERGE = "message_updated_after_contact_merge"
NAMES = [name for name in payloads.names() if name != MERGE]
# The recordings tell the messages of a conversation in another order than they were written: what
# waits together is sorted, so their order in GLPI would depend on what had arrived when it began.
# An update makes a message that is not there yet, so updates come after the messages.
_MESSAGES = sorted(
    (name for name in NAMES if name.startswith("message_")),
    key=lambda name: (payloads.load(name)["event"], payloads.load(name)["created_at"]),
)
NAMES = [name for name in NAMES if name not in _MESSAGES]
NAMES[-10:-10] = _MESSAGES

Disturb = Callable[[RunningHub, int], None]
Look = Callable[[RunningHub], None]


def deliver_all(
    folder: Path, disturb: Disturb, look: Look = lambda _: None, **environment: str
) -> list[str]:
    """Send all payloads, with ``disturb`` called before each; returns what GLPI holds.

    ``look`` is called at the end, with the hub still there.
    """
    with RunningHub(folder, **environment) as hub:
        hub.start_glpi("--service-time", "30")
        hub.start()
        hub.connect()
        for number, name in enumerate(NAMES):
            disturb(hub, number)
            answer = hub.send(payloads.raw(name))
            assert answer.status_code in (200, 202), (name, answer.text)
        hub.wait()
        assert hub.send(payloads.raw(MERGE)).status_code == 202
        hub.wait()
        status = hub.run("status")
        assert (status["waiting"], status["running"], status["dead"]) == (0, 0, 0), hub.story()
        found = [repr(record) for records in hub.glpi().values() for record in records]
        look(hub)
        return found


@dataclass
class Stop:
    """A hub's clean stop: its exit code, and how many sessions GLPI had before and after."""

    sessions: int = 0
    code: int | None = None
    left: int = 0


@pytest.fixture(scope="module")
def stop() -> Stop:
    """How the undisturbed hub stopped."""
    return Stop()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, stop: Stop) -> list[str]:
    def watch(hub: RunningHub) -> None:
        stop.sessions = len(hub.glpi_sessions())
        stop.code = hub.stop()
        stop.left = len(hub.glpi_sessions())

    return deliver_all(tmp_path_factory.mktemp("calm"), lambda *_: None, watch)


def test_everything_arrives(undisturbed):
    users, tickets = undisturbed[:5], undisturbed[5:]
    logins = (
        "4915112345678",
        "ann.lindqvist@example.com",
        "ben.okafor@example.com",
        "ops@oneil.example.net",
        "priya.n@example.org",
    )
    for login, user in zip(logins, users, strict=True):
        assert user.startswith(f"('{login}'")
    assert len(tickets) == 6


def test_killed_workers_change_nothing(undisturbed, tmp_path):
    killed = []

    def kill(hub: RunningHub, number: int) -> None:
        if number in (25, 45, 60):
            while not (victims := hub.kill("worker-process")):
                time.sleep(0.1)
            killed.append(victims)

    assert deliver_all(tmp_path, kill) == undisturbed
    assert sum(killed) >= 3


def test_a_wiped_redis_changes_nothing(undisturbed, tmp_path):
    def wipe(hub: RunningHub, number: int) -> None:
        if number % 10 == 5:
            Redis(unix_socket_path=str(hub.folder / "data" / "redis.sock")).flushall()

    assert deliver_all(tmp_path, wipe) == undisturbed


def test_a_killed_redis_changes_nothing(undisturbed, tmp_path):
    def kill(hub: RunningHub, number: int) -> None:
        if number == 20:
            assert hub.kill("redis-server") == 1

    assert deliver_all(tmp_path, kill) == undisturbed


def test_events_that_arrive_while_redis_is_away_are_delivered_later(undisturbed, tmp_path):
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        command = embedded.server_command(Config.from_environment({"HUB_DATA_DIR": folder}))
        server = subprocess.Popen(command)

        def stop_and_start(hub: RunningHub, number: int) -> None:
            nonlocal server
            if number == 10:
                server.terminate()
                server.wait()
            elif number == 60:
                server = subprocess.Popen(command)

        try:
            found = deliver_all(
                tmp_path, stop_and_start, HUB_REDIS_URL=f"unix://{folder}/redis.sock"
            )
        finally:
            server.kill()
            server.wait()
    assert found == undisturbed


def test_a_killed_hub_goes_on_after_its_restart(undisturbed, tmp_path):
    def kill(hub: RunningHub, number: int) -> None:
        if number == 40:
            assert hub.up is not None
            hub.up.kill()
            hub.up.wait()
            hub.wait_until_port_is_free()  # its children notice and stop
            hub.start()

    assert deliver_all(tmp_path, kill) == undisturbed


def test_a_clean_stop_leaves_no_session_in_glpi(undisturbed, stop):
    assert stop.sessions > 0
    assert (stop.code, stop.left) == (0, 0)
