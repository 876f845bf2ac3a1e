"""What LeadSquared does not hear of: blocked contacts, and what only a machine has written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_leadsquared import plugin

from hub.sdk import Event, Skip
from hub.sdk.settings import completed


def automatic(event: Event) -> Event:
    """An event of a conversation that began with an automatic answer."""
    assert event.conversation is not None
    return replace(event, conversation=replace(event.conversation, auto_reply=True))


def blocked(event: Event) -> Event:
    assert event.contact is not None
    return replace(event, contact=replace(event.contact, blocked=True))


@pytest.mark.parametrize("kind", [automatic, blocked])
def test_no_lead_and_no_activity(world: Any, kind: Any) -> None:
    world.set_up()
    events = world.events
    for event in (
        events.conversation_created(),
        events.message(1, "I am out of office.", auto_reply=True),
        events.resolved(),
    ):
        assert isinstance(world.deliver(kind(event)), Skip)
    assert world.simulator.leads() == []
    assert world.simulator.activities() == []


def test_a_blocked_contact_makes_no_lead(world: Any) -> None:
    world.set_up()
    assert isinstance(world.deliver(blocked(world.events.contact_created())), Skip)
    assert world.simulator.leads() == []


def test_a_person_who_writes_there_is_heard(world: Any) -> None:
    world.set_up()
    away = world.events.message(1, "I am out of office.", auto_reply=True)
    assert isinstance(world.deliver(automatic(away)), Skip)
    world.done(automatic(world.events.message(2, "Help!")))
    world.done(automatic(world.events.resolved()))
    assert "Help!" in str(world.simulator.activities())


@pytest.mark.parametrize("setting", ["blocked_contacts", "automatic_replies"])
def test_stored_connections_go_on_as_before(setting: str) -> None:
    required = {"access_key": "a", "secret_key": "b"}
    assert plugin.settings().load(required)[setting] is False
    assert completed(plugin.settings, required)[setting] is True
