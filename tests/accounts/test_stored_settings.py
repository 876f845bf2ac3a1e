"""Settings that were stored by an earlier version of a plugin."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from hub.accounts import hooks
from hub.database import in_transaction
from hub.models import Hook
from hub.sdk import SettingsSchema
from hub.sdk.settings import secret, text, toggle
from tests.support.crm import World, make_plugin


class Settings(SettingsSchema):
    name = text("Name", default="crm")
    key = secret("Key")
    strict = toggle("Strict", default=True, before=False)


@pytest.fixture
def world(make_app, crm):
    """A hook that was stored before the plugin had ``strict``, when it still had ``mood``."""
    with make_app(make_plugin(crm, settings=Settings)).app_context() as context:
        world = World(context.app)
        stored = {"name": "old", "mood": "good"}
        in_transaction(lambda s: s.execute(update(Hook).values(settings=stored, secrets={})))
        yield world


def test_a_delivery_sees_every_setting_that_its_plugin_knows(world, crm):
    seen = []
    crm.on_handle = lambda context: seen.append(dict(context.settings))
    world.send("contact.created")
    world.work()
    assert seen == [{"name": "old", "key": "", "strict": False}]


def test_a_setup_sees_them_too(world):
    assert hooks.view(hooks.find(world.hook.id)).all_settings == {
        "name": "old",
        "key": "",
        "strict": False,
    }


def test_a_change_of_another_setting_leaves_them_as_they_were(world):
    hook, report = hooks.update(world.hook.id, {"name": "new"})
    assert report.ok
    assert hook.settings == {"name": "new", "strict": False}


def test_an_optional_secret_can_be_set_and_cleared(world):
    assert hooks.update(world.hook.id, {"key": "k"})[0].secrets == {"key": "k"}
    assert hooks.update(world.hook.id, {"key": ""})[0].secrets == {}


def test_a_secret_that_the_plugin_no_longer_knows_is_never_stored_openly(world):
    stored = {"key": "k", "old_key": "hidden"}
    in_transaction(lambda s: s.execute(update(Hook).values(secrets=stored)))
    hook, report = hooks.run_setup(world.hook.id)
    assert report.ok
    assert hook.settings == {"name": "old", "strict": False}
    assert hook.secrets == {"key": "k"}


def test_a_setting_that_has_become_a_secret_is_stored_as_one(world):
    stored = {"name": "old", "key": "was shown"}
    in_transaction(lambda s: s.execute(update(Hook).values(settings=stored)))
    hook, report = hooks.run_setup(world.hook.id)
    assert report.ok
    assert (hook.settings, hook.secrets) == ({"name": "old", "strict": False}, {"key": "was shown"})


def test_a_setting_that_has_become_a_secret_is_hidden_from_then_on(world):
    stored = {"name": "old", "key": "was shown"}
    in_transaction(lambda s: s.execute(update(Hook).values(settings=stored)))
    read = hooks.view(hooks.find(world.hook.id))
    assert read.secrets == {"key": "was shown"}
    assert read.settings == {"name": "old", "strict": False}
