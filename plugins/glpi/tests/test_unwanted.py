"""What makes no ticket: blocked contacts, and conversations in which only a machine has written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import plugin
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Skip
from hub.sdk.settings import completed


def test_a_blocked_contacts_conversation(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    """As recorded: born resolved, then its message."""
    hub = make_simulated_hub()
    blocked = chatwoot.contact(blocked=True)
    parts = {"contact": blocked, "conversation": chatwoot.conversation(status="resolved")}
    users = len(simulator.users())
    for event in (
        chatwoot.event("contact.created", contact=blocked),
        chatwoot.event("conversation.created", **parts),
        chatwoot.event("message.created", message=chatwoot.message("new spam"), **parts),
        chatwoot.event("conversation.resolved", **parts),
    ):
        skip = hub.refused(event)
        assert isinstance(skip, Skip)
        assert "blocked in Chatwoot" in skip.sentence
        assert hub.requests == []
    assert simulator.tickets() == []
    assert len(simulator.users()) == users
    # Once unblocked, what is written next makes a ticket.
    parts["contact"] = replace(blocked, blocked=False)
    hub.done(chatwoot.event("message.created", message=chatwoot.message("Sorry."), **parts))
    assert len(simulator.tickets()) == 1


def test_a_contact_that_is_blocked_later(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub()
    contact = chatwoot.contact()
    parts = {"contact": contact, "conversation": chatwoot.conversation()}
    hub.done(chatwoot.event("message.created", message=chatwoot.message("spam"), **parts))
    parts["contact"] = blocked = replace(contact, blocked=True, name="Spam Lee")
    hub.done(chatwoot.event("message.created", message=chatwoot.message("more spam"), **parts))
    assert "more spam" in simulator.followups()[0]["content"]
    hub.done(chatwoot.event("contact.updated", contact=blocked, version=9))
    assert simulator.users()[-1]["firstname"] == "Spam"


def test_an_automatic_answer(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub(sync_template_messages=True)
    talk = chatwoot.conversation(auto_reply=True)
    parts = {"contact": chatwoot.contact(), "conversation": talk}
    away = chatwoot.message("I am out of office.", auto_reply=True)
    greeting = chatwoot.message("Thanks.", direction="template")
    for event in (
        chatwoot.event("conversation.created", **parts),
        chatwoot.event("message.created", message=away, **parts),
        chatwoot.event("message.created", message=greeting, **parts),
    ):
        assert "but a machine" in hub.refused(event).sentence
        assert hub.requests == []
    assert simulator.tickets() == []
    # Then the person writes; a further automatic answer is a followup.
    back = chatwoot.message("I am back. Help!")
    batch = [
        chatwoot.event("message.created", message=message, **parts)
        for message in (replace(away, id="9001"), back, replace(away, id="9002"))
    ]
    hub.done(*batch)
    (ticket,) = simulator.tickets()
    assert "I am back. Help!" in ticket["content"]
    assert ["out of office" in row["content"] for row in simulator.followups()] == [True]


def test_an_automatic_answer_in_a_conversation_of_people(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub()
    parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
    hub.done(chatwoot.event("message.created", message=chatwoot.message("Help!"), **parts))
    away = chatwoot.message("I am out of office.", auto_reply=True)
    hub.done(chatwoot.event("message.created", message=away, **parts))
    assert "out of office" in simulator.followups()[0]["content"]


@pytest.mark.parametrize("setting", ["blocked_contacts", "automatic_replies"])
def test_stored_connections_go_on_as_before(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, setting: str
) -> None:
    required = {"api_url": "https://a.example", "user_token": "x"}
    assert plugin.settings().load(required)[setting] is False
    assert completed(plugin.settings, required)[setting] is True
    hub = make_simulated_hub(**{setting: True})
    contact = chatwoot.contact(blocked=setting == "blocked_contacts")
    talk = chatwoot.conversation(auto_reply=setting == "automatic_replies")
    message = chatwoot.message("x", auto_reply=setting == "automatic_replies")
    hub.done(chatwoot.event("message.created", message=message, contact=contact, conversation=talk))
    assert len(simulator.tickets()) == 1
