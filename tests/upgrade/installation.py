"""The installation of an older version, opened by this one."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import requests
from click.testing import CliRunner
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from hub_glpi.simulator import GlpiSimulator
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator
from hub_webhook.simulator import ReceiverSimulator
from werkzeug.test import TestResponse

import hub.cli
from hub import services
from hub.cli.failure import Failure
from hub.delivery.drain import Drain
from hub.delivery.sweeper import Sweeper
from hub.queue.ready import ReadyLanes
from hub.sdk.testing.simulator import Simulator

DATA = Path(__file__).parent / "data"
#: Files of the data dir that are what they were.
KEYS = ("encryption.keys", "secret.key")
#: How long ago it was left, in seconds: what was leased is free, what was due is due.
LONG_AGO = 900
#: Moments within so many seconds of the making are the hub's own; older ones came with webhooks.
AROUND = 30 * 24 * 3600
_MOMENT = re.compile(r"(?<![\w.-])1[5-9]\d{14}(?![\w.-])")


def told(kind: str) -> dict[str, Any]:
    """What was known to those who used the installation: passwords, tokens, addresses."""
    read: dict[str, Any] = json.loads((DATA / f"{kind}.json").read_text(encoding="utf-8"))
    return read


class Servers:
    """The CRMs that the installation delivers to, with what it has brought there."""

    def __init__(self) -> None:
        self.glpi = GlpiSimulator()
        self.leadsquared = LeadSquaredSimulator()
        self.receiver = ReceiverSimulator()
        self.open_glpi = GlpiSimulator(app_token="")
        self.gone = ReceiverSimulator()

    @property
    def all(self) -> dict[str, Simulator]:
        """By the names that the data has for them."""
        return dict(vars(self))

    def begin(self, remote: Mapping[str, Any]) -> None:
        """Bring them to where the older version has left them."""
        for server in self.all.values():
            server.reset()
        api = self.glpi.api_url
        tokens = {"App-Token": "simulator-app-token"}
        user = {"Authorization": "user_token simulator-user-token"}
        opened = requests.get(f"{api}/initSession", headers=tokens | user, timeout=120).json()
        session = {**tokens, "Session-Token": opened["session_token"]}
        for call in remote["glpi"]:
            url = self.glpi.url + call["path"]
            answer = requests.request(
                call["method"], url, json=call["body"], headers=session, timeout=120
            )
            assert answer.ok, answer.text
        requests.get(f"{api}/killSession", headers=session, timeout=120)
        for lead in remote["leads"]:
            self.leadsquared.add_lead(**lead)
        keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        for kind in remote["activity_types"]:
            url = f"{self.leadsquared.url}/v2/ProspectActivity.svc/CreateType"
            assert requests.post(url, params=keys, json=kind, timeout=120).ok


def dump(kind: str, servers: Servers) -> str:
    """The database as SQL: at the addresses of these servers, and left not long ago."""
    known = told(kind)
    text = (DATA / f"{kind}.sql").read_text(encoding="utf-8")
    for name, url in known["servers"].items():
        text = text.replace(url, servers.all[name].url)
    later = int((time.time() - LONG_AGO) * 1_000_000) - known["made_at"]

    def moved(found: re.Match[str]) -> str:
        moment = int(found[0])
        near = abs(moment - known["made_at"]) < AROUND * 1_000_000
        return str(moment + later) if near else found[0]

    return _MOMENT.sub(moved, text)


def load_sqlite(text: str, path: Path) -> None:
    """Make the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)


def load_postgresql(text: str, url: str) -> None:
    """Fill an empty database."""
    with psycopg.connect(url) as connection:
        connection.execute(text.encode())


class Old:
    """The installation, migrated and open: by its command line, its pages, its API, its inbox."""

    def __init__(
        self, app: Flask, environment: Mapping[str, str], kind: str, servers: Servers
    ) -> None:
        self.app = app
        self.environment = environment
        self.told = told(kind)
        self.servers = servers
        servers.begin(self.told["remote"])

    def run(self, *arguments: str, fails: str = "") -> Any:
        """``hub ...``; what it printed, as data. ``fails`` expects a failure with this in it."""
        return run(self.environment, *arguments, fails=fails)

    def browser(self, email: str = "") -> FlaskClient:
        """A browser, with the cookie that the older version gave to this user."""
        client = self.app.test_client()
        if email:
            # The same content, signed today: a cookie of its own age would be too old by now.
            signer = SecureCookieSessionInterface().get_signing_serializer(self.app)
            assert signer is not None
            cookie = signer.dumps(self.told["sessions"][email])
            client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], str(cookie))
        return client

    def api(self, method: str, path: str, body: Any = None, *, token: str = "root") -> TestResponse:
        """An operation of the API, with a token of the older version."""
        options: dict[str, Any] = {} if body is None else {"json": body}
        bearer = {"Authorization": f"Bearer {self.told['tokens'][token]}"}
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, headers=bearer, buffered=True, **options
        )

    def shows(self, path: str) -> Any:
        """What the API answers."""
        answer = self.api("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json

    def items(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        joint = "&" if "?" in path else "?"
        page = self.shows(path)
        found = list(page["items"])
        while page.get("next"):
            page = self.shows(f"{path}{joint}cursor={page['next']}")
            found += page["items"]
        return found

    def work(self) -> None:
        """What the fleet does: find what is due, and deliver it."""
        with self.app.app_context():
            ready = ReadyLanes(services.of(self.app).redis)
            drain = Drain.of_app(self.app, "today")
            Sweeper(self.app).sweep()
            while (lane := ready.take("today")) is not None:
                drain.drain(lane)
                ready.give_back(lane)


def run(environment: Mapping[str, str], *arguments: str, fails: str = "") -> Any:
    """``hub ...``, in this process."""
    as_json = arguments[:2] != ("db", "upgrade")
    result = CliRunner().invoke(
        hub.cli.cli,
        [*arguments, *(["--json"] if as_json else [])],
        env=dict(environment),
        standalone_mode=False,
    )
    if fails:
        assert isinstance(result.exception, Failure), (arguments, result.exception, result.output)
        assert fails in str(result.exception), (arguments, result.exception)
    elif result.exception is not None:
        raise result.exception
    return json.loads(result.stdout) if as_json and result.stdout else result.stdout
