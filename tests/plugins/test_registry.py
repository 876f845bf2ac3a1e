"""Finding plugins, and setting the broken ones aside."""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest

from hub.plugins import Registry, UnknownPlugin
from hub.sdk import (
    CONTACT_CREATED,
    Done,
    Event,
    Plugin,
    Processor,
    SettingsSchema,
    SetupResult,
    SetupService,
)


class Setup(SetupService):
    def run(self) -> SetupResult:
        return SetupResult("ok")


class Contacts(Processor):
    def handle_contact_created(self, event: Event) -> Done:
        return Done("ok")


def make(**options) -> Plugin:
    return Plugin(
        **{
            "id": "good",
            "name": "Good",
            "version": "1.0",
            "description": "A good plugin.",
            "package": "tests",
            "settings": SettingsSchema,
            "setup": Setup,
            "processor": Contacts,
            "events": frozenset({CONTACT_CREATED}),
            **options,
        }
    )


@pytest.fixture
def entry(monkeypatch):
    """Makes an entry point to an object in a module that exists for this test only."""

    def make_entry(value: object, name: str = "good") -> EntryPoint:
        module = types.ModuleType(f"plugin_under_test_{id(value)}")
        module.plugin = value
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, f"{module.__name__}:plugin", "hub.plugins")

    return make_entry


def test_a_sound_plugin_is_found(entry):
    registry = Registry.of([entry(make())])
    assert registry.get("good").name == "Good"
    assert registry.broken == ()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sdk": ">=2"}, "needs SDK >=2"),
        ({"sdk": "newest"}, "not a version range"),
        ({"version": "one"}, "not a version number"),
        ({"id": "Bad-Id"}, "must be 2 to 40 lower-case"),
        ({"id": "other"}, "differs from its entry point"),
        ({"description": ""}, "description is empty"),
        ({"events": frozenset()}, "events is empty"),
        ({"events": frozenset({"contact.exploded"})}, "unknown events only: contact.exploded"),
        ({"events": frozenset({"message.created"})}, "lacks handle_message_created"),
        ({"settings": dict}, "settings must be a subclass"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"calls_per_second": 0}, "calls_per_second must be above 0"),
    ],
)
def test_a_bad_manifest_is_set_aside_with_its_reason(entry, options, reason):
    registry = Registry.of([entry(make(**options))])
    assert registry.plugins == {}
    assert reason in registry.broken[0].sentence


def test_an_event_that_this_hub_does_not_know_is_left_out_and_told(entry, caplog):
    """It was written for a newer hub: it works here as far as this one goes."""
    named = make(events=frozenset({CONTACT_CREATED, "ticket.replied"}))
    registry = Registry.of([entry(named)])
    assert registry.broken == ()
    assert registry.get("good").unknown_events == ["ticket.replied"]
    (line,) = caplog.records
    assert line.fields["events"] == "ticket.replied"


def test_something_else_than_a_plugin_is_set_aside(entry):
    assert "not a str" in Registry.of([entry("hello")]).broken[0].sentence


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise RuntimeError('no licence file')", "RuntimeError: no licence file"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = (", "SyntaxError"),
        ("import os; os._exit(0)", "end the process with status 0"),
    ],
)
def test_an_import_that_fails_does_not_stop_the_hub(entry, tmp_path, monkeypatch, body, reason):
    name = f"broken_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    broken = EntryPoint("broken", f"{name}:plugin", "hub.plugins")
    registry = Registry.of([broken, entry(make())])
    assert list(registry.plugins) == ["good"]
    assert reason in registry.broken[0].sentence
    assert "Traceback" in registry.broken[0].traceback
    with pytest.raises(UnknownPlugin, match="The plugin broken is broken"):
        registry.get("broken")


@pytest.mark.parametrize(
    "body",
    [
        "import time; time.sleep(600)",
        "while True:\n    try:\n        while True: pass\n    except Exception: pass",
    ],
    ids=["sleeps", "never ends"],
)
def test_an_import_that_takes_long_is_broken_off(entry, tmp_path, monkeypatch, body):
    name = f"slow_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    slow = EntryPoint("slow", f"{name}:plugin", "hub.plugins")
    registry = Registry.of([slow, entry(make())], limit=0.2)
    assert list(registry.plugins) == ["good"]
    assert "takes longer than 0.2 seconds" in registry.broken[0].sentence


def test_two_plugins_that_claim_one_id_are_both_set_aside(entry):
    registry = Registry.of([entry(make()), entry(make(name="Other"))])
    assert registry.plugins == {}
    assert "2 installed plugins claim the id 'good'" in registry.broken[0].sentence


def test_an_unknown_plugin_is_named_with_those_that_are_there(entry):
    with pytest.raises(UnknownPlugin, match="Installed: good"):
        Registry.of([entry(make())]).get("nothing")
