"""The activity that says that a conversation has begun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_leadsquared.processor import LeadSquaredProcessor

from hub.sdk import (
    Contact,
    KeepBack,
    Link,
    NeedsAttention,
    Skip,
)
from hub.sdk.testing.simulator import Fault


class TestStarted:
    def test_it_is_posted_once(self, world: Any) -> None:
        world.done(world.events.conversation_created())
        world.fails(world.events.conversation_created(), Skip)
        assert world.calls == []
        assert len(world.simulator.activities("Chatwoot Conversation Started")) == 1

    def test_switched_off_it_costs_nothing(self, world: Any) -> None:
        world.settings["enable_conversation_activity"] = False
        world.fails(world.events.conversation_created(), Skip)
        assert world.calls == []

    def test_it_is_kept_back_until_the_visitor_says_who_they_are(
        self, world: Any, ann: Contact
    ) -> None:
        """The hub hands it over again with the contact as it is known then."""
        visitor = Contact(id=ann.id, name="billowing-night-17")
        begun = world.events.conversation_created(visitor)
        world.settings["keep_days"] = 7
        assert world.fails(begun, KeepBack).days == 7
        assert world.calls == []
        known = world.events.contact_updated(ann, "email")
        assert not LeadSquaredProcessor.is_known(begun, None)
        assert LeadSquaredProcessor.is_known(known, None)
        world.done(replace(begun, contact=ann))
        world.deliver(known)
        (activity,) = world.simulator.activities()
        assert activity["CreatedOn"] == "2026-07-14 10:00:00"

    def test_it_is_left_out_if_the_settings_say_so(self, world: Any, ann: Contact) -> None:
        world.settings["unknown_people"] = "nothing"
        world.fails(world.events.conversation_created(Contact(id=ann.id)), Skip)

    def remembered(self, world: Any, ann: Contact) -> None:
        """As version 1 kept it, in a link of its own."""
        key = f"{world.events.contact_updated(ann).source.id}/{ann.id}"
        item = {"key": f"{key}-of-old", "note": "Begun.", "at": "2026-07-14T10:00:00+00:00"}
        link = Link("unclaimed", key, key, data={"conversations": [item]})
        world.store.links.links["unclaimed", key] = link

    def test_what_version_1_has_remembered_survives_a_try_that_was_cut_off(
        self, world: Any, ann: Contact
    ) -> None:
        self.remembered(world, ann)
        world.simulator.add_fault(Fault("drop_before", path="ProspectActivity.svc/Create"))
        known = world.events.contact_updated(ann, "email")
        world.deliver(known)
        assert (
            world.done(known).sentence == "The activities that waited for this contact were posted."
        )
        assert len(world.simulator.activities()) == 1

    def test_nothing_waits_any_more_once_it_is_switched_off(self, world: Any, ann: Contact) -> None:
        self.remembered(world, ann)
        world.settings["enable_conversation_activity"] = False
        world.done(world.events.contact_updated(ann, "email"))
        assert world.simulator.activities() == []

    def test_without_a_code_the_hook_needs_its_setup(self, world: Any) -> None:
        world.learned["conversation_activity_code"] = None
        error = world.fails(world.events.conversation_created(), NeedsAttention)
        assert error.field == "enable_conversation_activity"


@pytest.mark.parametrize("transcripts", [True, False])
def test_a_new_conversation_names_the_inbox_that_an_earlier_message_told(
    world: Any, transcripts: bool
) -> None:
    world.settings["enable_transcript_activity"] = transcripts
    world.deliver(world.events.message(1, "Hello"))
    world.deliver(world.events.conversation_created(number="43"))
    (note,) = world.notes("Chatwoot Conversation Started")
    assert "Channel: Shop chat" in note
