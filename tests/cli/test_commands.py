"""The command line, command by command, as scripts call it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import hub.cli
from hub import services
from hub.clock import written
from hub.database import in_transaction, reading
from hub.models import AuditEntry, Delivery, DeliveryState, Hook, HookStatus
from hub.queue.ready import ReadyLanes
from hub.sdk import KeepBack, Rejected, SetupFailed
from hub.sdk.testing import payloads
from tests.support.crm import make_plugin

Run = Callable[..., Any]


def test_accounts(run):
    made = run("accounts", "create", "Acme", "--region", "de", "--feature", "beta")
    assert made == {"id": 1, "name": "Acme", "default_region": "DE", "features": ["beta"]}
    assert run("accounts", "list") == [made]
    run("accounts", "create", "Acme", fails="There is an account named Acme already")
    run("accounts", "create", " ", fails="needs a name")
    run("accounts", "create", "Other", "--region", "ZZ", fails="not a two-letter country code")
    assert "Acme" in run("accounts", "list", as_json=False)


def test_sources(run):
    run("accounts", "create", "Acme")
    made = run("sources", "create", "Acme", "--signing-secret", "s", "--base-url", "https://c/")
    assert made["signing_secret_set"] is True
    assert made["base_url"] == "https://c"
    assert made["webhook_url"].startswith("http://127.0.0.1:8000/webhooks/chatwoot/")
    assert run("sources", "show", "1") == made
    assert run("sources", "list", "Acme") == run("sources", "list") == [made]
    assert run("sources", "update", "1", "--allow-unsigned")["allow_unsigned"] is True
    assert run("sources", "disable", "1")["enabled"] is False
    assert run("sources", "enable", "1")["enabled"] is True
    run("sources", "show", "9", fails="There is no source 9")
    run("sources", "create", "Nobody", fails="There is no account Nobody")
    run("sources", "create", "Acme", "--base-url", "chat", fails="must begin with https://")


def test_hooks(run, hook):
    assert (hook["id"], hook["status"], hook["detail"]) == (1, "active", "It works.")
    assert hook["learned"] == {"version": "1"}
    shown = run("hooks", "show", "1")
    assert shown["settings"] == {"name": "crm"}
    assert "planted-secret" not in json.dumps(shown)
    assert run("hooks", "update", "1", "--set", "name=other")["status"] == "active"
    assert run("hooks", "show", "1")["settings"] == {"name": "other"}
    assert run("hooks", "test", "1")["status"] == "active"
    assert run("hooks", "disable", "1")["enabled"] is False
    assert run("hooks", "enable", "1")["enabled"] is True
    assert run("hooks", "pause", "1", "--reason", "Moving house")["status"] == "paused"
    assert run("hooks", "resume", "1")["status"] == "active"
    assert [row["id"] for row in run("hooks", "list", "Acme")] == [1]
    run("hooks", "delete", "1", "--yes", as_json=False)
    assert run("hooks", "list") == []


def test_an_optional_secret_is_cleared_by_an_empty_value(run, hook, make_app):
    run("hooks", "update", "1", "--set", "name=other")
    with make_app().app_context(), reading() as session:
        assert session.get_one(Hook, 1).secrets == {"key": "planted-secret"}
    assert run("hooks", "update", "1", "--set", "key=")["status"] == "active"
    with make_app().app_context(), reading() as session:
        assert session.get_one(Hook, 1).secrets == {}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Acme", "crm", "--set", "colour=blue"], "colour: Unknown field"),
        (["Acme", "crm", "--set", "colour"], "--set takes NAME=VALUE"),
        (["Acme", "nothing"], "No plugin 'nothing' is installed. Installed: crm"),
        (["Nobody", "crm"], "There is no account Nobody"),
    ],
)
def test_a_hook_that_cannot_be_made_says_why(run, arguments, reason):
    run("accounts", "create", "Acme")
    run("hooks", "create", *arguments, fails=reason)


def test_a_setup_that_fails_leaves_a_hook_that_needs_attention(run, monkeypatch):
    plugin = hub.plugins.Registry.discover().get("crm")

    def refuse(_: object) -> None:
        raise SetupFailed("The key is wrong; copy it again.", field="key")

    monkeypatch.setattr(plugin.setup, "run", refuse)
    run("accounts", "create", "Acme")
    run("hooks", "create", "Acme", "crm", fails="The key is wrong; copy it again. (setting key)")
    assert run("hooks", "list")[0]["status"] == "needs_attention"


@pytest.fixture
def work(run, make_app, crm) -> Callable[[], int]:
    """Send one event through the door and work on it."""

    def deliver(name: str = "contact_created_full") -> int:
        from hub.delivery.drain import Drain

        app = make_app(make_plugin(crm))
        with app.app_context():
            source = run("sources", "create", "Acme", "--allow-unsigned")
            path = source["webhook_url"].removeprefix("http://127.0.0.1:8000")
            answer = app.test_client().post(
                path, data=payloads.raw(name), content_type="application/json"
            )
            assert answer.status_code == 202
            ready, drain = ReadyLanes(services.of(app).redis), Drain.of_app(app, "w")
            while (lane := ready.take()) is None:
                pass
            return drain.drain(lane)

    return deliver


def test_events_and_deliveries(run, hook, work, crm):
    crm.troubles = [Rejected("No such category.", field="category_id")]
    assert work() == 1
    (event,) = run("events", "list", "--account", "Acme")
    assert event["name"] == "contact.created"
    assert run("events", "show", str(event["id"]))["payload"]["email"] == "ops@oneil.example.net"
    (dead,) = run("deliveries", "list", "--state", "dead", "--hook", "1")
    assert dead["reason"] == "No such category. (category_id)"
    story = run("deliveries", "show", str(dead["id"]))
    assert [attempt["outcome"] for attempt in story["attempts"]] == ["rejected"]
    assert "rejected" in run("deliveries", "show", str(dead["id"]), as_json=False)
    assert run("status")["dead"] == 1
    assert run("deliveries", "replay", str(dead["id"])) == {"replayed": 1}
    assert run("deliveries", "replay", str(dead["id"])) == {"replayed": 0}, "it is owed already"
    assert run("status")["waiting"] == 1
    run("deliveries", "skip", str(dead["id"]), "--reason", "Not wanted", as_json=False)
    assert run("deliveries", "list")[0]["state"] == "skipped"
    run("events", "show", "99", fails="There is no event 99")
    run("deliveries", "show", "99", fails="There is no delivery 99")
    run("deliveries", "replay", "99", fails="There is no delivery 99")
    run("deliveries", "replay", fails="Name a delivery")
    run("deliveries", "skip", "99", "--reason", "x", as_json=False, fails="not open and not dead")


def test_replay_of_a_filter(run, hook, work, make_app):
    work()
    with make_app().app_context():
        in_transaction(
            lambda session: session.execute(
                update(Delivery).values(state=DeliveryState.DEAD, reason="gone")
            )
        )
    assert run("deliveries", "replay", "--hook", "1", "--state", "dead") == {"replayed": 1}
    assert run("deliveries", "replay", "--all") == {"replayed": 0}


def test_deliveries_are_chosen_as_on_the_dashboard(run, hook, work, crm, make_app):
    """By text, contact and time, too; and what is listed is what a replay takes."""
    crm.troubles = [Rejected("No such category.")]
    work()
    (dead,) = run("deliveries", "list", "--text", "CATEGORY", "--account", "Acme")
    contact = str(dead["contact_id"])
    for options in (
        ("--text", "ops@oneil"),
        ("--contact", contact),
        ("--begin", "2026-01-01T00:00"),
        ("--event", "contact.created"),
        ("--account", "Acme", "--hook", "1"),
    ):
        assert len(run("deliveries", "list", *options)) == 1, options
        assert run("deliveries", "replay", *options) == {"replayed": 1}, options
        run("deliveries", "skip", "1", "--reason", "A test.", as_json=False)
        with make_app().app_context():
            in_transaction(
                lambda session: session.execute(update(Delivery).values(state=DeliveryState.DEAD))
            )
    for options in (("--text", "mars"), ("--contact", "99"), ("--end", "2026-01-01T00:00")):
        assert run("deliveries", "list", *options) == [], options
        assert run("deliveries", "replay", *options) == {"replayed": 0}, options
    run("deliveries", "list", "--begin", "yesterday", fails="'begin' must be a moment")
    run("deliveries", "replay", "--state", "dead", fails="Name a delivery")
    run("deliveries", "replay", "--hook", "99", fails="There is no hook 99")


def test_what_is_kept_back_can_be_insisted_on(run, hook, work, crm):
    crm.troubles.append(KeepBack("Nothing is known of the person."))
    work("contact_created_name_only")
    (kept,) = run("deliveries", "list", "--state", "kept_back")
    number = str(kept["id"])
    assert run("deliveries", "insist", number) == {"deliveries": 1}
    assert run("deliveries", "list", "--state", "kept_back") == []
    owed = run("deliveries", "show", number)
    assert (owed["state"], owed["waits_for"], owed["kept_until"]) == ("pending", "due", None)
    run("deliveries", "insist", number, fails=f"Delivery {number} is not kept back")
    run("deliveries", "insist", "99", fails="Delivery 99 is not kept back")


def test_what_is_done_with_deliveries_is_written_down(run, hook, work, crm, make_app):
    crm.troubles.append(KeepBack("Nothing is known of the person."))
    work("contact_created_name_only")
    run("deliveries", "insist", "1")
    run("deliveries", "insist", "1", fails="not kept back")
    run("deliveries", "skip", "1", "--reason", "A test.", as_json=False)
    run("deliveries", "skip", "1", "--reason", "Again.", as_json=False, fails="not open")
    run("deliveries", "replay", "1")
    run("deliveries", "replay", "1")
    run("deliveries", "replay", "--hook", "1")
    with make_app().app_context(), reading() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("deliver%")).order_by(AuditEntry.id)
        ).all()
    assert {(row.actor, row.account_id) for row in rows} == {("command line", 1)}
    assert [(row.action, row.subject_id, row.after) for row in rows] == [
        ("delivery.insisted", 1, {"deliveries": 1}),
        ("delivery.skipped", 1, {"reason": "A test."}),
        ("delivery.replayed", 1, {}),
        ("deliveries.replayed", None, {"hook": 1, "state": "dead", "deliveries": 0}),
    ]


def test_wait_and_status(run, hook, work):
    work()
    run("wait", "--timeout", "1", as_json=False)
    status = run("status")
    assert (status["waiting"], status["running"], status["dead"]) == (0, 0, 0)
    assert status["hooks"][0]["status"] == "active"
    told = run("status", as_json=False)
    assert "workers: 0" in told
    assert "Small CRM: It works." in told
    assert max(map(len, told.splitlines())) <= 80, "it fits into a terminal"
    assert "kept back" in told, "and no word is cut"


def test_wait_gives_up_at_its_timeout(run, hook, make_app, crm):
    app = make_app(make_plugin(crm))
    source = run("sources", "create", "Acme", "--allow-unsigned")
    path = source["webhook_url"].removeprefix("http://127.0.0.1:8000")
    app.test_client().post(
        path, data=payloads.raw("contact_created_full"), content_type="application/json"
    )
    named = "delivery 1 of connection 1 (Small CRM)"
    run(
        "wait",
        "--timeout",
        "0.1",
        as_json=False,
        fails=f"Left after 0.1 seconds: {named}: It is due",
    )
    moment = datetime.now(UTC) + timedelta(hours=1)
    with app.app_context():
        in_transaction(
            lambda session: session.execute(
                update(Delivery).values(
                    state=DeliveryState.WAITING, due_at=moment, reason="It is down."
                )
            )
        )
    # Its next try is long after the timeout: it is left all the same.
    sentence = f"Next try: {written(moment)}. It is down."
    run("wait", "--timeout", "0", as_json=False, fails=f"{named}: {sentence}")
    told = run("deliveries", "list")[0]
    assert (told["waits_for"], told["reason"]) == ("backoff", sentence)
    with app.app_context():
        in_transaction(
            lambda session: session.execute(
                update(Hook).values(status=HookStatus.PAUSED, status_detail="Moving house")
            )
        )
    said = run("wait", "--timeout", "0", as_json=False)
    assert "Nothing is left to wait for." in said
    assert (
        "Not waited for: delivery 1 of connection 1 (Small CRM): The connection is paused. "
        "Moving house" in said
    )


def test_quarantine(run, make_app, crm):
    run("accounts", "create", "Acme")
    source = run("sources", "create", "Acme")
    path = source["webhook_url"].removeprefix("http://127.0.0.1:8000")
    client = make_app(make_plugin(crm)).test_client()
    for _ in range(2):
        body = payloads.raw("contact_created_full")
        assert client.post(path, data=body, content_type="application/json").status_code == 401
    held = run("quarantine", "list")
    assert [row["code"] for row in held] == ["no_secret", "no_secret"]
    run("quarantine", "release", "--all", fails="Some requests are still held")
    run("sources", "update", "1", "--allow-unsigned")
    assert run("quarantine", "release", str(held[0]["id"]))[0]["outcome"] == "accepted"
    run("quarantine", "discard", str(held[1]["id"]), "--yes", as_json=False)
    assert run("quarantine", "list", "--source", "1") == []
    run("quarantine", "release", fails="Name a request")
    run("quarantine", "release", "77", fails="There is no held request 77")


def test_plugins(run):
    (row,) = run("plugins", "list")
    assert (row["id"], row["state"]) == ("crm", "ready")
    info = run("plugins", "info", "crm")
    assert info["settings"]["properties"]["key"]["writeOnly"] is True
    assert "Small CRM 1.0" in run("plugins", "info", "crm", as_json=False)
    run("plugins", "info", "nothing", fails="No plugin 'nothing' is installed")


def test_database_and_keys(run, hook, monkeypatch, config):
    current = run("db", "current")
    assert current["current"] == current["needed"]
    run("db", "upgrade", as_json=False)
    new = run("keys", "generate", as_json=False).strip()
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join([new, *config.encryption_keys]))
    assert run("keys", "rotate")["rotated"] >= 1
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", new)
    assert run("hooks", "test", "1")["status"] == "active", "the new key alone reads the secrets"
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join(config.encryption_keys))
    assert "is missing from HUB_ENCRYPTION_KEYS" in run("hooks", "show", "1")["detail"]


def test_doctor(run, hook):
    rows = {row["part"]: row["state"] for row in run("doctor")}
    assert rows["database"] == rows["schema"] == rows["redis"] == "ok"
    assert rows["workers"] == "look"


def test_bad_configuration_is_a_sentence(run, monkeypatch):
    monkeypatch.setenv("HUB_DATABASE_URL", "mysql://db")
    run("accounts", "list", fails="HUB_DATABASE_URL must begin with")


def test_sweeper_once(run, hook):
    run("sweeper", "--once", as_json=False)


def test_exit_codes(tmp_path):
    def code(*arguments: str) -> int:
        environment = {"HUB_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            [sys.executable, "-m", "hub", *arguments], env=environment, capture_output=True
        ).returncode

    assert code("--version") == 0
    assert code("accounts", "list") == 0
    assert code("hooks", "list", "Nobody") == 1
    assert code("no-such-command") == 2
