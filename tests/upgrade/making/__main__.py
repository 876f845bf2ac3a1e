"""Makes the data of this folder. It runs with the code of commit 3733788 and with no other.

It is kept so that it is known what the data is and how it came to be; no test runs it, and it is
not brought up to date when the code changes::

    git worktree add ../then 3733788 && cd ../then && make .venv/installed
    cp -r ../hub/tests/upgrade/making tests/ && .venv/bin/python -m tests.making FOLDER

It needs the programs of a PostgreSQL server (``pg_dump`` too) and the ports 18091 to 18095.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hub_glpi.simulator import GlpiSimulator
from hub_leadsquared.simulator import LeadSquaredSimulator
from hub_webhook.simulator import ReceiverSimulator
from tests.making.dumps import postgresql_text, remote, sqlite_text, without_paths
from tests.making.made import Made
from tests.making.settings import ENCRYPTION_KEY, POLICY, SECRET_KEY_OF_COOKIES
from tests.making.story import make

from hub import crashpoint
from hub.app import create_web_app
from hub.config import Config
from hub.database import db
from hub.delivery.drain import Drain
from hub.queue.ready import ReadyLanes
from tests.conftest import own_postgres
from tests.support.redis import RedisServer


def die_now() -> None:
    """What the worker does that is killed."""

    def boundary(name: str) -> None:
        if name.startswith("after POST") and name.endswith("/User"):
            os.kill(os.getpid(), signal.SIGKILL)

    crashpoint.boundary = boundary
    app = create_web_app(Config.from_environment())
    with app.app_context():
        ready, drain = ReadyLanes(app.extensions["hub.redis"]), Drain.of_app(app, "doomed")
        while (lane := ready.take("doomed")) is not None:
            drain.drain(lane)
            ready.give_back(lane)


def unguessable(size: int = 32) -> Iterator[str]:
    """The same 'unguessable' tokens on both databases."""
    for number in itertools.count(1):
        seed = hashlib.sha256(f"upgrade {number}".encode()).digest()
        yield base64.urlsafe_b64encode(seed).decode().rstrip("=")


def run(folder: Path, dump: Callable[[Config], str], database_url: str = "") -> dict[str, Any]:
    numbers = unguessable()
    secrets.token_urlsafe = lambda size=32: next(numbers)
    with ExitStack() as stack:
        servers = {
            "glpi": GlpiSimulator(port=18091),
            "leadsquared": LeadSquaredSimulator(port=18092),
            "receiver": ReceiverSimulator(port=18093),
            "open_glpi": GlpiSimulator(port=18094, app_token=""),
            "gone": ReceiverSimulator(port=18095),
        }
        for server in servers.values():
            stack.enter_context(server)
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(RedisServer())
        environment = {
            **os.environ,
            "HUB_DATA_DIR": str(data_dir),
            "HUB_DATABASE_URL": database_url,
            "HUB_REDIS_URL": redis.url,
            "HUB_POLICY": POLICY,
        }
        (data_dir / "encryption.keys").write_text(ENCRYPTION_KEY)
        (data_dir / "secret.key").write_text(SECRET_KEY_OF_COOKIES)
        config = Config.from_environment(environment)
        made = Made(config, environment)
        make(made, servers)
        with made.app.app_context():
            db.engine.dispose()
        made.told["made_at"] = int(time.time() * 1_000_000)
        made.told["servers"] = {name: server.url for name, server in servers.items()}
        made.told["remote"] = remote(servers)
        name = "postgresql" if database_url else "sqlite"
        (folder / f"{name}.sql").write_text(without_paths(dump(config)), encoding="utf-8")
        (folder / f"{name}.json").write_text(json.dumps(made.told, indent=1) + "\n")
        for file in ("encryption.keys", "secret.key"):
            (folder / file).write_text((data_dir / file).read_text())
        return made.told


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    run(folder, lambda config: sqlite_text(config.data_dir / "hub.db"))
    with own_postgres() as server:
        name = server.create()
        url = server.url(name)
        run(folder, lambda _: postgresql_text(url), url)


if __name__ == "__main__":
    main(Path(sys.argv[1])) if len(sys.argv) > 1 else die_now()
