"""Makes the data of this folder. It runs with the code of commit 3733788 and with no other.

It is kept so that it is known what the data is and how it came to be; no test runs it, and it is
not brought up to date when the code changes::

    git worktree add ../then 3733788 && cd ../then && make .venv/installed
    cp ../hub/tests/upgrade/make_data.py tests/ && .venv/bin/python -m tests.make_data FOLDER

It needs the programs of a PostgreSQL server (``pg_dump`` too) and the ports 18091 to 18095.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from hub_glpi.simulator import GlpiSimulator
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator
from hub_webhook.simulator import SECRET, ReceiverSimulator

import migrations
from hub import audit, crashpoint
from hub.access import (
    invitations,
    members,
    tokens,
)
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
from hub.sdk.testing.simulator import Fault
from tests.conftest import _postgres_programs, own_postgres
from tests.support.crm import Crm, make_plugin
from tests.support.people import PASSWORD, Person, administrator
from tests.support.redis import RedisServer

CHATWOOT_SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"
EVENTS_SECRET = "whsec_" + base64.b64encode(b"events that somebody else sends!").decode()
ENCRYPTION_KEY = "VLkJ8XTg1lTaqcbLPGKN8SpJMGCDyTqr2f4f9fVcU2E="
SECRET_KEY_OF_COOKIES = "the-secret-key-of-a-hub-that-was-made-for-tests-only"
#: Nobody wants to wait; what is stored is the same.
POLICY = "retry.first=1 retry.longest=2 breaker.failures=3 breaker.first_probe=3600"

GLPI_EVERY = {
    "app_token": "simulator-app-token",
    "user_token": "simulator-user-token",
    "entity_id": 0,
    "use_contact": False,
    "default_user_id": 2,
    "user_profile_id": 1,
    "enable_ticket_sync": True,
    "ticket_type": "2",
    "category_id": None,
    "anonymous_tickets": True,
    "solution_text": "Resolved in chat.",
    "first_message_grace": 0,
    "enable_followup_sync": True,
    "sync_private_notes": True,
    "sync_template_messages": True,
    "upload_attachments": False,
    "upload_limit_mb": 5,
    "upload_types": "pdf, png",
    "language": "fr",
    "status_open": "2",
    "status_pending": "4",
    "status_snoozed": "3",
    "status_resolved": "5",
    "status_bot": "1",
    "priority_urgent": "6",
    "priority_high": "5",
    "priority_medium": "3",
    "priority_low": "1",
    "priority_none": "2",
}
LEADSQUARED_EVERY = {
    "access_key": ACCESS_KEY,
    "secret_key": SECRET_KEY,
    "calls_per_second": 25,
    "lead_source": "Website",
    "phone_field": "Phone",
    "run_automations": True,
    "enable_conversation_activity": True,
    "conversation_activity_name": "Chat begun",
    "conversation_activity_score": 5,
    "enable_transcript_activity": True,
    "transcript_activity_name": "Chat ended",
    "transcript_activity_score": -5,
    "transcript_grace": 0,
    "language": "pt_BR",
}
WEBHOOK_EVERY = {
    "secret": SECRET,
    "second_secret": "whsec_" + base64.b64encode(b"a second secret, of 32 bytes too").decode(),
    "authorization": "Bearer of-the-receiver",
    "events": "contact.created, contact.updated, conversation.created, message.created",
    "condition": "not contact or contact.name != 'Nobody'",
    "template": '{"who": {{ contact.name | json }}, "what": {{ type | json }}}',
    "content_type": "application/json",
}


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
        done = subprocess.run([sys.executable, "-m", "tests.make_data"], env=self.environment)
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


def person(number: int, name: str) -> dict[str, Any]:
    return {"id": str(number), "name": name, "email": f"customer{number}@example.com"}


def make(made: Made, servers: dict[str, Any]) -> None:
    """The whole story."""
    url = {name: server.url for name, server in servers.items()}
    made.people()
    acme = made.api(
        "POST", "/accounts", {"name": "Acme", "default_region": "DE", "features": ["beta"]}, 201
    )["id"]
    other = made.api("POST", "/accounts", {"name": "Bäckerei Süß & Co"}, 201)["id"]
    made.source(
        acme,
        "chatwoot",
        "Website",
        signing_secret=CHATWOOT_SECRET,
        base_url="https://chat.example.com",
    )
    made.source(acme, "events", "Shop", signing_secret=EVENTS_SECRET)
    made.source(other, "chatwoot", "Old Chatwoot", allow_unsigned=True)
    closed = made.source(acme, "chatwoot", "Closed", signing_secret="no longer")
    made.api("PATCH", f"/accounts/{acme}/sources/{closed}", {"enabled": False})

    receiver = url["receiver"]
    made.hook(acme, "glpi", "GLPI, every setting", {"api_url": url["glpi"], **GLPI_EVERY})
    every = {"api_url": url["leadsquared"], **LEADSQUARED_EVERY}
    made.hook(acme, "leadsquared", "LeadSquared, every setting", every)
    every = {"url": f"{receiver}/every", **WEBHOOK_EVERY}
    tuned = made.hook(acme, "webhook", "Webhook, every setting", every)
    made.hook(
        acme, "webhook", "Webhook, few settings", {"url": f"{receiver}/few", "secret": SECRET}
    )
    made.hook(acme, "retired_crm", "Its plugin is gone", {"key": "a key of a CRM"})
    limits = {"concurrency": 2, "calls_per_second": 50.0}
    made.api("PATCH", f"/accounts/{acme}/hooks/{tuned}", limits)

    # All is well.
    made.chatwoot("Website", "contact_created_full")
    made.chatwoot("Website", "conversation_created_widget_with_message")
    made.chatwoot("Website", "message_created_incoming_widget")
    made.work()
    made.chatwoot("Website", "message_created_outgoing_agent")
    made.event("contact.created", contact=person(1, "Ada Braun"))
    made.work()
    talk = {"id": "71", "inbox_id": "1", "inbox_name": "Shop", "status": "open"}
    parts = {"contact": person(1, "Ada Braun"), "conversation": talk}
    made.event("conversation.created", **parts)
    said = {"id": "711", "text": "My oven is cold.", "direction": "incoming"}
    made.event("message.created", **parts, message={**said, "sender": {"kind": "contact"}})
    made.work()
    for number, text in ((712, "Is it plugged in?"), (713, "And switched on?")):
        answer = {"id": str(number), "text": text, "direction": "outgoing"}
        by = {"kind": "user", "id": "7", "name": "Bob"}
        made.event("message.created", **parts, message={**answer, "sender": by})
    made.work()
    made.event("conversation.resolved", **parts | {"conversation": {**talk, "status": "resolved"}})
    # Two changes before anybody works: the second makes the first needless.
    made.event("contact.updated", contact=person(1, "Ada B."))
    made.event("contact.updated", contact=person(1, "Ada Braun-Weiß"))
    made.work()

    # Refused for good, and nothing to do.
    refused = Fault(
        "status", "POST", "/few", status=400, body="{}", content_type="application/json"
    )
    servers["receiver"].add_fault(refused)
    servers["glpi"].add_fault(
        Fault("status", "POST", "/User", status=400, body='["ERROR_GLPI_ADD", "No."]')
    )
    made.event("contact.created", contact=person(2, "Bela Refused"))
    made.work()
    made.retired.troubles = [ValueError("a bug of a plugin")]
    made.event("contact.created", contact={"id": "5", "name": "Without anything"})
    made.work()

    # Hooks that do not work now: a remote that is gone, a pause, a plugin that is gone.
    gone = servers["gone"]
    made.hook(acme, "webhook", "Its remote is away", {"url": f"{gone.url}/away", "secret": SECRET})
    paused = made.hook(
        acme,
        "webhook",
        "One inbox, paused",
        {"url": f"{receiver}/paused", "secret": SECRET},
        inbox_id="1",
    )
    made.api("POST", f"/accounts/{acme}/hooks/{paused}/pause", {"reason": "Moving house"})
    gone.stop()
    made.event("contact.created", contact=person(6, "Emil Away"))
    made.event("contact.created", contact=person(7, "Fritz Away"))
    made.work()
    time.sleep(2.1)
    made.work()

    # A failure that passes, and an answer that is lost.
    servers["glpi"].add_fault(Fault("status", "POST", "/User", status=503))
    made.event("contact.created", contact=person(3, "Carla Waits"))
    made.work()
    servers["glpi"].add_fault(Fault("drop_after", "POST", "/User"))
    made.event("contact.created", contact=person(4, "Dora Lost"))
    made.work()

    # Another account: few settings, and an app token that was left empty.
    few = {"api_url": url["open_glpi"], "user_token": "simulator-user-token"}
    made.hook(other, "glpi", "GLPI, few settings", few)
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    few = {"api_url": url["leadsquared"], **keys}
    made.hook(other, "leadsquared", "LeadSquared, few settings", few)
    off = made.hook(other, "webhook", "Off", {"url": f"{receiver}/off", "secret": SECRET})
    made.api("POST", f"/accounts/{other}/hooks/{off}/disable")
    made.chatwoot("Old Chatwoot", "contact_created_widget_email")
    made.work()

    # Requests that are held.
    wrong = {"X-Chatwoot-Signature": "sha256=" + "0" * 64}
    body = payloads.load("contact_updated_phone_added")
    made.send("Website", body, 401, **wrong)
    made.send("Website", b"{", 400)
    made.send("Shop", {"event": "contact.created", "id": "x", "contact": {}}, 400)

    # People, what they hold, and what they did.
    owner = made.member(acme, Role.OWNER, "owner@example.com", "Olga Owner")
    owner.does("/profile", name="Olga Ø.", language="fr", timezone="Europe/Paris", theme="dark")
    made.member(acme, Role.OPERATOR, "operator@example.com", "Otto Operator")
    viewer = made.member(acme, Role.VIEWER, "viewer@example.com", "Vera Viewer")
    with made.app.app_context():
        members.add(other, made.told["users"]["viewer@example.com"], Role.OWNER)
    assert viewer.get(f"/accounts/{other}/").status_code == 200
    made.token("look", 4, ["look"], acme, 30)
    with made.app.app_context(), audit.acting(audit.COMMAND_LINE):
        links = made.told["links"]
        links["join"] = invitations.create(
            email="new@example.com", account_id=acme, role=Role.OPERATOR
        )
        links["password"] = invitations.new_password(made.told["users"]["operator@example.com"])
    assert Person(made.app).sign_in("viewer@example.com", "wrong").status_code == 401

    # At last, a worker dies.
    made.event("contact.created", contact=person(8, "Gerda Crash"))
    made.die()


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


# Into files.


def sqlite_text(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        text = "\n".join(connection.iterdump())
        again = sqlite3.connect(":memory:")
        again.executescript(text)
        master = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        assert again.execute(master).fetchall() == connection.execute(master).fetchall()
    return text + "\n"


def postgresql_text(url: str) -> str:
    programs = _postgres_programs()
    assert programs is not None
    options = ("--inserts", "--no-owner", "--no-privileges", "--no-comments")
    text = subprocess.run(
        [str(programs / "pg_dump"), *options, url], check=True, capture_output=True, text=True
    ).stdout
    # What only psql understands, and settings that only some servers know.
    left_out = re.compile(r"^(\\.*|SET .*|SELECT pg_catalog\.set_config.*|--.*)\n", re.MULTILINE)
    return re.sub(r"\n{2,}", "\n", left_out.sub("", text))


def without_paths(text: str) -> str:
    """Tracebacks name where the code stood."""
    return text.replace(str(Path(migrations.__file__).parents[1]), "/srv/hub")


def remote(servers: dict[str, Any]) -> dict[str, Any]:
    """What stands in the CRMs, so that it can be made again."""
    glpi = [
        {"method": r.method, "path": r.path, "body": json.loads(r.text)}
        for r in servers["glpi"].requests()
        if r.method in ("POST", "PUT", "DELETE")
        and (r.status in (200, 201) or "drop_after" in r.faults)
        and r.text
    ]
    leads = [
        {name: row[name] for name in ("ProspectID", "EmailAddress", "FirstName", "LastName")}
        for row in servers["leadsquared"].leads()
    ]
    types = [
        json.loads(r.text)
        for r in servers["leadsquared"].requests()
        if r.path.endswith("/CreateType")
    ]
    return {"glpi": glpi, "leads": leads, "activity_types": types}


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
