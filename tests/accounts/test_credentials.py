"""Stored credentials go only where they were meant for."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

import hub.cli
from hub import audit, services
from hub.access import tokens
from hub.accounts import hooks, proving
from hub.accounts.credentials import ASK_ANEW
from hub.app import create_web_app
from hub.audit import (
    Actor,
    acting,
)
from hub.database import db, reading
from hub.errors import InvalidSettings
from hub.models import User
from hub.plugins import Registry
from hub.sdk import SettingsSchema, SetupResult, SetupService
from hub.sdk.settings import origin_of, secret, text, url
from tests.support.crm import Crm, World, make_plugin
from tests.support.people import administrator

OLD = {"address": "https://crm.example/api", "key": "planted", "spare": "planted too"}
#: Addresses of another server, as somebody may write them.
ELSEWHERE = (
    "https://evil.example/api",
    "http://crm.example/api",
    "https://crm.example:8443/api",
    "https://crm.example@evil.example/api",
    "https://crm.example.evil.example/api",
)
#: The same server, written otherwise.
SAME = ("https://CRM.example:443/other", "https://crm.example./api")


class Settings(SettingsSchema):
    name = text("Name", default="crm")
    address = url("Address", required=True)
    key = secret("Key", required=True)
    spare = secret("Spare key")


@pytest.fixture
def seen() -> list[dict[str, Any]]:
    """The settings of every setup that was run."""
    return []


@pytest.fixture
def world(make_app, seen):
    class Setup(SetupService):
        def run(self) -> SetupResult:
            seen.append(dict(self.context.settings))
            return SetupResult("It works.")

    plugin = make_plugin(Crm(), settings=Settings, setup=Setup)
    with make_app(plugin).app_context() as context:
        world = World(context.app, settings=OLD)
        seen.clear()
        yield world


@pytest.mark.parametrize("address", ELSEWHERE)
@pytest.mark.parametrize("deed", ["test", "save"])
def test_another_address_asks_for_the_secrets_anew(world, seen, address, deed):
    given = {"address": address}
    deeds = {
        "test": lambda: proving.test(proving.trial(world.account, "crm", given, world.hook)),
        "save": lambda: hooks.update(world.hook.id, given),
    }
    with pytest.raises(InvalidSettings) as refused:
        deeds[deed]()
    assert refused.value.fields == {"key": [ASK_ANEW], "spare": [ASK_ANEW]}
    assert seen == [], "nothing was sent"
    assert hooks.find(world.hook.id).settings["address"] == OLD["address"]


@pytest.mark.parametrize("address", SAME)
def test_the_same_server_does_not(world, address):
    assert hooks.update(world.hook.id, {"address": address})[1].ok


def test_secrets_that_are_entered_with_it_go_there_and_no_others(world, seen):
    given = {"address": ELSEWHERE[0], "key": "new", "spare": ""}
    assert proving.test(proving.trial(world.account, "crm", given, world.hook)).ok
    assert [(one["address"], one["key"], one["spare"]) for one in seen] == [
        (ELSEWHERE[0], "new", "")
    ]


def test_one_secret_anew_is_not_enough(world, seen):
    with pytest.raises(InvalidSettings) as refused:
        hooks.update(world.hook.id, {"address": ELSEWHERE[0], "key": "new"})
    assert set(refused.value.fields) == {"spare"}
    assert seen == []


def test_what_parsers_read_differently_is_no_origin():
    assert origin_of("https://evil.example\\@crm.example/") != origin_of("https://crm.example/")


def test_a_test_is_written_into_the_audit_log_without_a_secret(world):
    given = {"address": ELSEWHERE[0], "key": "new", "spare": ""}
    with acting(Actor("Ann")):
        proving.test(proving.trial(world.account, "crm", given, world.hook))
    (entry,) = audit.listed(world.account.id)
    assert (entry.action, entry.subject_id, entry.actor) == ("hook.tested", world.hook.id, "Ann")
    assert entry.after == {
        "plugin": "crm",
        "addresses": ["https://evil.example:443"],
        "passed": True,
    }


def test_dashboard_api_and_command_line_name_the_fields(config, monkeypatch):
    plugin = make_plugin(Crm(), settings=Settings)
    registry = Registry({plugin.id: plugin}, ())
    app = create_web_app(config, registry)
    with app.app_context():
        world = World(app, settings=OLD)
        root = administrator(app)
    account, hook = f"accounts/{world.account.id}", f"hooks/{world.hook.id}"

    form = {"s-address": ELSEWHERE[0], "s-name": "crm", "s-key": ""}
    page = root.post(f"/{account}/{hook}/edit", **form)
    assert page.status_code == 303
    assert root.page(f"/{account}/{hook}/edit").count(ASK_ANEW) == 2

    with app.app_context(), reading() as session:
        user_id = session.scalars(select(User.id)).one()
    with app.app_context():
        _, token = tokens.create(user_id, "test", ["configure"], account_id=world.account.id)
    told = app.test_client().patch(
        f"/api/v1/{account}/{hook}",
        json={"settings": {"address": ELSEWHERE[0]}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert set(told.json["errors"]["settings"]) == {"key", "spare"}, told.json

    monkeypatch.setenv("HUB_DATA_DIR", str(config.data_dir))
    monkeypatch.setenv("HUB_DATABASE_URL", config.database_url)
    monkeypatch.setenv("HUB_REDIS_URL", str(config.redis_url))
    monkeypatch.setenv("HUB_ENCRYPTION_KEYS", ",".join(config.encryption_keys))
    monkeypatch.setattr(Registry, "discover", classmethod(lambda _: registry))
    command = ["hooks", "update", str(world.hook.id), "--set", f"address={ELSEWHERE[0]}"]
    result = CliRunner().invoke(hub.cli.cli, command, standalone_mode=False)
    assert "key" in str(result.exception)
    assert "spare" in str(result.exception)
    with app.app_context():
        db.engine.dispose()
    services.of(app).redis.close()
