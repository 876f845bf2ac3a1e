"""A hub as it is shipped, its processes one by one, and a GLPI simulator beside it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import requests
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select, update

from benchmarks import webhooks
from hub import services
from hub.accounts import accounts, hooks, sources
from hub.app import create_app
from hub.cli.looking import require_schema
from hub.config import Config
from hub.database import db, in_transaction, reading, to_microseconds
from hub.fleet.supervisor import hub_command
from hub.models import OPEN, Delivery, DeliveryState, Hook
from hub.outbound.guard import THIS_MACHINE
from hub.queue import embedded, plugins

_HOST = "127.0.0.1"
_START = 60.0
#: Seconds that a load may take to be delivered.
_PATIENCE = 600.0


class Lost(AssertionError):
    """Not every event was delivered."""


class Glpi:
    """The GLPI simulator, in a process of its own."""

    def __init__(self, service_time: float) -> None:
        self.port = free_port()
        self.url = f"http://{_HOST}:{self.port}"
        self._control = f"{self.url}/__simulator__"
        self._process = subprocess.Popen(
            hub_command(
                *("glpi-simulator", "--port", str(self.port)),
                *("--service-time", str(service_time * 1000)),
            ),
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: requests.get(f"{self._control}/faults", timeout=5).ok)

    def reset(self) -> None:
        """An empty GLPI. Its sessions are gone, too."""
        requests.post(f"{self._control}/reset", timeout=10).raise_for_status()

    def calls(self) -> int:
        """The calls since it was empty, without signing in and out."""
        counts = requests.get(f"{self._control}/requests?limit=0", timeout=10).json()["counts"]
        return sum(number for route, number in counts.items() if "Session" not in route)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class Installation:
    """A hub in a folder of its own, with one source and one GLPI hook."""

    def __init__(self, folder: Path, glpi: Glpi, database_url: str = "", policy: str = "") -> None:
        self.glpi = glpi
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUB_")},
            "HUB_DATA_DIR": str(folder),
            "HUB_DATABASE_URL": database_url,
            "HUB_POLICY": policy,
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
        }
        self.config = Config.from_environment(self.environment)
        self.app = create_app(self.config)
        self.port = 0
        self.hook_id = 0
        self.path = ""
        self._log = (folder / "hub.log").open("w")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers: subprocess.Popen[bytes] | None = None
        self._start_redis()
        self._connect()

    def start_web(self) -> None:
        """``hub web`` with the settings that it ships with."""
        self.port = free_port()
        self._spawn(hub_command("web", "--port", str(self.port)))
        wait_for(lambda: requests.get(f"http://{_HOST}:{self.port}/healthz", timeout=5).ok)

    def start_bare_flask(self) -> int:
        """A view that does nothing, on the same gunicorn; returns its port."""
        port = free_port()
        self._spawn([sys.executable, "-m", "benchmarks.bare_flask", "--port", str(port)])
        wait_for(
            lambda: requests.post(f"http://{_HOST}:{port}{self.path}", timeout=5).status_code == 202
        )
        return port

    def start_sweeper(self) -> None:
        """``hub sweeper``."""
        self._spawn(hub_command("sweeper"))
        wait_for(lambda: services.of(self.app).redis.exists(plugins.KEY))

    def start_workers(self, *options: str) -> None:
        """``hub worker``, with the settings that it ships with unless some are given."""
        self._workers = self._spawn(hub_command("worker", *options))
        wait_for(lambda: self._fleet_size() == len(self.workers()) > 0)

    def stop_workers(self) -> None:
        """Stop the workers as a deploy does."""
        assert self._workers is not None
        self._workers.send_signal(signal.SIGTERM)
        self._workers.wait(90)
        self._processes.remove(self._workers)

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        assert self._workers is not None
        return list(psutil.Process(self._workers.pid).children())

    def fleet(self) -> list[psutil.Process]:
        """The worker processes with their supervisor."""
        assert self._workers is not None
        return [psutil.Process(self._workers.pid), *self.workers()]

    def all_processes(self) -> list[psutil.Process]:
        """Everything but the simulator: web, workers, sweeper, Redis."""
        parents = [psutil.Process(process.pid) for process in self._processes]
        return [*parents, *(child for p in parents for child in p.children(recursive=True))]

    def set_lanes(self, number: int) -> None:
        """Let the hook have so many lanes in progress at once."""
        with self.app.app_context():
            in_transaction(
                lambda session: session.execute(
                    update(Hook).where(Hook.id == self.hook_id).values(concurrency=number)
                )
            )
        redis: Redis = services.of(self.app).redis
        # The sweeper tells it to the fleet.
        wait_for(lambda: redis.hget("{hub}:limits", str(self.hook_id)) == str(number).encode())

    def wait_until_delivered(self) -> None:
        """Return when nothing is owed any more.

        :raises Lost: it takes too long, or some deliveries are dead.
        """
        give_up = time.monotonic() + _PATIENCE
        while self._open():
            if time.monotonic() > give_up:
                raise Lost(f"{self._open()} deliveries are not done after {_PATIENCE:g} seconds")
            time.sleep(0.02)
        with self.app.app_context(), reading() as session:
            dead = session.scalars(
                select(Delivery.reason).where(Delivery.state == DeliveryState.DEAD).limit(5)
            ).all()
        if dead:
            raise Lost(f"dead: {dead}")

    def last_delivery(self) -> float:
        """When the last delivery was done, in seconds since 1970."""
        with self.app.app_context(), reading() as session:
            moment = session.scalar(select(func.max(Delivery.finished_at)))
        return to_microseconds(moment) / 1_000_000 if moment else 0.0

    def close(self) -> None:
        """Stop everything."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with self.app.app_context():
            db.engine.dispose()
        self._log.close()

    def _open(self) -> int:
        with self.app.app_context(), reading() as session:
            statement = select(func.count()).select_from(Delivery).where(Delivery.state.in_(OPEN))
            return session.scalar(statement) or 0

    def _start_redis(self) -> None:
        self._spawn(embedded.server_command(self.config))
        wait_for(services.of(self.app).redis.ping)

    def _connect(self) -> None:
        """An operator's steps: an account, a source, a hook."""
        with self.app.app_context():
            require_schema()
            account = accounts.create("Acme", "DE")
            source = sources.create(
                account,
                "chatwoot",
                signing_secret=webhooks.SECRET,
                base_url="https://chat.example.com",
            )
            hook, report = hooks.create(
                account,
                "glpi",
                {
                    "api_url": self.glpi.url,
                    "app_token": "simulator-app-token",
                    "user_token": "simulator-user-token",
                    "enable_ticket_sync": True,
                    "enable_followup_sync": True,
                },
            )
            assert report.ok, report.sentence
            self.hook_id = hook.id
            self.path = f"/webhooks/chatwoot/{source.token}"

    def _fleet_size(self) -> int:
        redis: Redis = services.of(self.app).redis
        return int(redis.zcard("{hub}:fleet"))

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, env=self.environment, stdout=self._log, stderr=self._log
        )
        self._processes.append(process)
        return process


@contextmanager
def installed(glpi: Glpi, database_url: str = "", policy: str = "") -> Iterator[Installation]:
    """An installation for the length of the block."""
    # A short path: the name of a Unix socket may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    try:
        installation = Installation(folder, glpi, database_url, policy)
        try:
            yield installation
        finally:
            installation.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def simulated_glpi(service_time: float = 0.0) -> Iterator[Glpi]:
    """A GLPI simulator for the length of the block; ``service_time`` is in seconds."""
    glpi = Glpi(service_time)
    try:
        yield glpi
    finally:
        glpi.stop()


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """User and system time that these processes have used."""
    times = [process.cpu_times() for process in processes]
    seconds: float = sum(used.user + used.system for used in times)
    return seconds


def wait_for(is_so: Callable[[], Any]) -> None:
    give_up = time.monotonic() + _START
    while True:
        try:
            if is_so():
                return
        except (requests.RequestException, RedisError):
            pass
        if time.monotonic() > give_up:
            raise TimeoutError(f"waited for {_START:g} seconds")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
