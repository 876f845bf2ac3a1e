"""From Chatwoot's events to leads and activities, with the number of calls that each costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.sdk import Sender, Skip


def test_a_new_contact_becomes_a_lead(world: Any) -> None:
    done = world.done(world.events.contact_created())
    (lead,) = world.simulator.leads()
    assert {name: value for name, value in lead.items() if value} == {
        "ProspectID": lead["ProspectID"],
        "FirstName": "Ann",
        "LastName": "Lindqvist",
        "EmailAddress": "ann@example.com",
        "Mobile": "+49-15112345678",
        "Source": "Chatwoot",
    }
    assert done.sentence == "Lead Ann Lindqvist created."
    assert done.url.endswith(f"/LeadManagement/LeadDetails?LeadID={lead['ProspectID']}")
    assert world.calls == [
        "Leads.GetByEmailaddress",
        "RetrieveLeadByPhoneNumber",
        "Lead.Create",
    ]


def test_only_changed_fields_are_sent(world: Any, ann: Any) -> None:
    world.done(world.events.contact_created())
    world.simulator.clear_requests()
    world.done(world.events.contact_updated(replace(ann, name="Ann New"), "name"))
    (request,) = world.simulator.requests("POST")
    assert request.path.endswith("Lead.Update")
    assert request.text == '[{"Attribute": "LastName", "Value": "New"}]'


def test_noise_costs_no_call(world: Any) -> None:
    world.done(world.events.contact_created())
    world.fails(world.events.contact_updated(), Skip)
    assert world.calls == []


def test_a_conversation_and_its_transcript_are_activities(world: Any) -> None:
    events = world.events
    world.done(events.contact_created())
    started = world.done(events.conversation_created())
    assert world.calls == ["Create"]
    agent = Sender(kind="user", id="7", name="Bo Agent")
    for event in (
        events.message(1, "Hello, where is my parcel?"),
        events.message(2, "Let me look.\n\nOne moment.", sender=agent, direction="outgoing"),
        events.message(3, "", direction="outgoing", sender=replace(agent, name="")),
    ):
        world.done(event)
        assert world.calls == []
    done = world.done(events.resolved())
    assert world.calls == ["Create"]
    lead_id = world.simulator.leads()[0]["ProspectID"]
    assert started.url == done.url
    assert lead_id in done.url
    first, second = world.simulator.activities()
    assert (first["CreatedOn"], second["CreatedOn"]) == (
        "2026-07-14 10:00:00",
        "2026-07-14 10:30:00",
    )
    assert first["Note"] == (
        "New conversation in Chatwoot\n"
        "Channel: Website\n"
        "Conversation: 42\n"
        "Link: https://chat.example/app/accounts/3/conversations/42\n"
        "Created: 2026-07-14 15:30:00 (Asia/Kolkata)"
    )
    assert second["Note"] == (
        "Transcript of a conversation in Chatwoot\n"
        "Channel: Shop chat\n"
        "Conversation: 42\n"
        "Link: https://chat.example/app/accounts/3/conversations/42\n"
        "Times: Asia/Kolkata\n\n"
        "[2026-07-14 15:33] Agent: [No content]\n\n"
        "[2026-07-14 15:32] Bo Agent: Let me look.\nOne moment.\n\n"
        "[2026-07-14 15:31] Ann Lindqvist: Hello, where is my parcel?"
    )
