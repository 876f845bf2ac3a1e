"""The installation while it is made: who does it, what is connected, what happens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import signal
import subprocess
import sys
import time
from typing import Any

import migrations
from hub.access import audit, invitations, tokens
from hub.access.permissions import Permission
from hub.app import create_web_app
from hub.config import Config
from hub.database import db
from hub.delivery.drain import Drain
from hub.delivery.sweeper import Sweeper
from hub.models import Role
from hub.plugins import Registry
from hub.queue.ready import ReadyLanes
from hub.sdk.testing import payloads
from tests.support.crm import Crm, make_plugin
from tests.support.people import PASSWORD, Person, administrator


class Made:
    """The installation while it is made."""

    def __init__(self, config: Config, environment: dict[str, str]) -> None:
        self.environment = environment
        registry = Registry.discover()
        self.retired = Crm()
        gone = make_plugin(
            self.retired,
            id="retired_crm",
            name="Retired CRM",
            supersedable=frozenset({"contact.updated"}),
        )
        self.app = create_web_app(config, Registry({**registry.plugins, gone.id: gone}, ()))
        with self.app.app_context():
            migrations.upgrade(db.engine)
        self.told: dict[str, Any] = {
            "password": PASSWORD,
            "users": {},
            "sessions": {},
            "tokens": {},
            "links": {},
            "sources": {},
        }
        self._ids = itertools.count(1)

    # Who does it.

    def people(self) -> None:
        root = administrator(self.app)
        self._note_person("root@example.com", root)
        self.token("root", 1, [permission.value for permission in Permission], None, None)

    def member(self, account_id: int, role: Role, email: str, name: str) -> Person:
        with self.app.app_context():
            link = invitations.create(account_id=account_id, role=role)
        person = Person(self.app).sign_up(link, email, name)
        self._note_person(email, person)
        return person

    def _note_person(self, email: str, person: Person) -> None:
        with person.client.session_transaction() as cookie:
            self.told["sessions"][email] = dict(cookie)
        self.told["users"][email] = len(self.told["users"]) + 1

    def token(
        self, name: str, user: int, scopes: list[str], account: int | None, days: int | None
    ) -> None:
        with self.app.app_context(), audit.acting(audit.COMMAND_LINE):
            _, secret = tokens.create(user, name, scopes, account_id=account, days=days)
        self.told["tokens"][name] = secret

    def api(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.app.test_client().open(
            f"/api/v1{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.told['tokens']['root']}"},
            **({} if body is None else {"json": body}),
        )
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json if answer.data else None

    # What is connected.

    def source(self, account: int, kind: str, name: str, **more: Any) -> int:
        body = {"kind": kind, "name": name, **more}
        made = self.api("POST", f"/accounts/{account}/sources", body, 201)
        path = made["webhook_url"].removeprefix("http://127.0.0.1:8000")
        known = {"path": path, "kind": kind, "secret": more.get("signing_secret")}
        self.told["sources"][name] = {"id": made["id"], **known}
        return int(made["id"])

    def hook(
        self, account: int, plugin: str, name: str, settings: dict[str, Any], **more: Any
    ) -> int:
        body = {"plugin_id": plugin, "name": name, "settings": settings, **more}
        answer = self.api("POST", f"/accounts/{account}/hooks", body, 201)
        return int(answer["hook"]["id"])

    # What happens.

    def chatwoot(self, source: str, name: str, **changes: Any) -> None:
        self.send(source, {**payloads.load(name), **changes})

    def event(self, name: str, **parts: Any) -> None:
        """One of the source that sends canonical events."""
        self.send("Shop", {"event": name, "id": f"shop-{next(self._ids)}", **parts})

    def send(self, source: str, body: Any, status: int = 202, **wrong: str) -> None:
        known = self.told["sources"][source]
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **signed(known, raw, next(self._ids))}
        answer = self.app.test_client().post(known["path"], data=raw, headers=headers | wrong)
        assert answer.status_code == status, answer.text

    def work(self) -> None:
        """Pay what is due, until nothing is."""
        with self.app.app_context():
            ready, drain = ReadyLanes(self.app.extensions["hub.redis"]), Drain.of_app(self.app, "w")
            Sweeper(self.app).sweep()
            while (lane := ready.take("w")) is not None:
                drain.drain(lane)
                ready.give_back(lane)

    def die(self) -> None:
        """A worker that is killed while GLPI makes a user."""
        done = subprocess.run([sys.executable, "-m", "tests.making"], env=self.environment)
        assert done.returncode == -signal.SIGKILL, done.returncode


def signed(source: dict[str, Any], body: bytes, number: int) -> dict[str, str]:
    """The headers of a sender."""
    now, secret = str(int(time.time())), source["secret"]
    if secret is None:
        return {}
    if source["kind"] == "chatwoot":
        mac = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        return {
            "X-Chatwoot-Delivery": f"made-{number}",
            "X-Chatwoot-Timestamp": now,
            "X-Chatwoot-Signature": f"sha256={mac}",
        }
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"made-{number}.{now}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": f"made-{number}",
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
