"""What the settings change, and what each kind of event leads to, on the simulator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hub_glpi import sentences
from hub_glpi.api import Glpi
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Done, Postpone, Sender, Skip, Source
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.support import JSON


class TestSwitches:
    def test_without_tickets(self, chatwoot: Any, make_simulated_hub: Any, parts: Any) -> None:
        hub = make_simulated_hub(enable_ticket_sync=False)
        for name in ("conversation.created", "conversation.resolved", "message.created"):
            event = chatwoot.event(name, message=chatwoot.message(), **parts)
            assert hub.refused(event).sentence == sentences.TICKETS_OFF
        hub.done(chatwoot.event("contact.created", contact=parts["contact"]))

    def test_without_followups(self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any) -> None:  # fmt: skip # noqa: E501
        hub = start(enable_followup_sync=False)
        event = chatwoot.event("message.created", message=chatwoot.message("More."), **parts)
        assert hub.refused(event).sentence == sentences.FOLLOWUPS_OFF
        assert "First." in simulator.tickets()[0]["content"]
        assert simulator.followups() == []

    def test_private_notes_left_out(self, chatwoot: Any, start: Any, parts: Any) -> None:
        hub = start(sync_private_notes=False)
        note = chatwoot.reply("Hush.", private=True)
        for name in ("message.created", "message.updated"):
            event = chatwoot.event(name, message=note, **parts)
            assert hub.refused(event).sentence == sentences.PRIVATE_LEFT_OUT
            assert hub.requests == []

    @pytest.mark.parametrize("wanted", [True, False])
    def test_automatic_messages(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any, wanted: bool
    ) -> None:
        hub = start(sync_template_messages=wanted)
        greeting = chatwoot.message("Hello!", direction="template", sender=Sender("system"))
        outcome = hub.deliver(chatwoot.event("message.created", message=greeting, **parts))
        assert isinstance(outcome, Done if wanted else Skip)
        assert len(simulator.followups()) == wanted

    def test_left_out_messages_in_a_batch(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start(sync_private_notes=False)
        events = [
            chatwoot.event("message.created", message=message, **parts)
            for message in (
                chatwoot.message("one"),
                chatwoot.reply("Hush.", private=True),
                chatwoot.message(" "),
                chatwoot.message("two"),
            )
        ]
        outcomes = hub.worker().deliver_batch(events)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == [Done, Skip, Skip, Done]
        assert len(simulator.followups()) == 2

    def test_own_maps(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, parts: Any
    ) -> None:
        hub = make_simulated_hub(status_open="1", priority_none="6")
        hub.done(chatwoot.event("conversation.created", **parts))
        (ticket,) = simulator.tickets()
        assert (ticket["status"], ticket["priority"]) == (1, 6)

    def test_a_default_user(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        hub = make_simulated_hub(default_user_id=4, anonymous_tickets=True)
        parts = {
            "contact": chatwoot.contact(email=None),
            "conversation": chatwoot.conversation(),
        }
        events = [
            chatwoot.event("message.created", message=message, **parts)
            for message in (chatwoot.message(), chatwoot.reply(), chatwoot.message("More."))
        ]
        hub.done(*events)
        assert simulator.tickets()[0]["_requesters"] == [4]
        assert [f["users_id"] for f in simulator.followups()] == [4, 2]
        assert "Ann Lee" in simulator.tickets()[0]["content"]

    def test_the_name_of_an_unknown_customer_stays_in_the_text(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        hub = make_simulated_hub(unknown_people="at_once")
        parts = {"contact": chatwoot.contact(email=None), "conversation": chatwoot.conversation()}
        message = chatwoot.message("First.")
        edited = replace(message, text="First, edited.")
        for event, text in (
            (chatwoot.event("conversation.created", **parts), "not written anything yet"),
            (chatwoot.event("message.created", message=message, **parts), "First."),
            (chatwoot.event("message.updated", message=edited, **parts), "First, edited."),
        ):
            hub.done(event)
            (ticket,) = simulator.tickets()
            assert text in ticket["content"]
            assert ticket["content"].count("Ann Lee") == 1

    @pytest.mark.parametrize(
        ("language", "words"),
        [("fr", "Le client n’a"), ("pt_BR", "O cliente ainda"), ("es", "El cliente aún")],
    )
    def test_language(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, parts: Any,
        language: str, words: str,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(language=language)
        hub.done(chatwoot.event("conversation.created", **parts))
        assert words in simulator.tickets()[0]["content"]
        late = chatwoot.event("message.created", message=chatwoot.message("Late."), **parts)
        hub.done(late)
        assert simulator.tickets()[0]["name"] == "Late."


class TestFirstMessage:
    @pytest.mark.parametrize(("age", "waits"), [(0, True), (1.9, True), (2.1, False), (-60, False)])
    def test_the_grace(
        self, chatwoot: Any, simulated_hub: Any, parts: Any, age: float, waits: bool
    ) -> None:
        arrived = chatwoot.clock.now() - timedelta(seconds=age)
        event = chatwoot.event("conversation.created", received_at=arrived, **parts)
        assert isinstance(simulated_hub.deliver(event), Postpone if waits else Done)

    def test_the_customers_first_of_several(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        """Not the greeting, not a note, not what belongs to another conversation."""
        now = chatwoot.clock.now()
        elsewhere = {**parts, "conversation": chatwoot.conversation("9")}
        first = chatwoot.message("The first.", created_at=now)
        waiting = [
            chatwoot.event("message.created", message=message, **where)
            for message, where in (
                (chatwoot.reply("Hello!"), parts),
                (chatwoot.message("Elsewhere.", created_at=now - timedelta(1)), elsewhere),
                (chatwoot.message("The second.", created_at=now + timedelta(1)), parts),
                (chatwoot.message("", created_at=now - timedelta(1)), parts),
                (first, parts),
            )
        ]
        simulated_hub.done(chatwoot.event("conversation.created", **parts), waiting=waiting)
        assert "The first." in simulator.tickets()[0]["content"]
        simulated_hub.done(waiting[2])
        done = simulated_hub.done(waiting[4])
        assert done.sentence == sentences.IS_TICKET_TEXT.format(ticket=1)
        assert len(simulator.followups()) == 1

    def test_an_edit_of_the_ticket_text(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        first = chatwoot.message("Frist.")
        simulated_hub.done(chatwoot.event("message.created", message=first, **parts))
        same = chatwoot.event("message.updated", message=first, **parts)
        assert simulated_hub.refused(same).sentence == sentences.NOTHING_CHANGED
        assert simulated_hub.requests == []
        edited = replace(first, text="First.")
        simulated_hub.done(chatwoot.event("message.updated", message=edited, **parts))
        assert "<p>First.</p>" in simulator.tickets()[0]["content"]
        deleted = replace(first, text="", deleted=True)
        simulated_hub.done(chatwoot.event("message.updated", message=deleted, **parts))
        assert "First." not in simulator.tickets()[0]["content"]

    def test_an_edit_after_an_agent_rewrote_the_ticket(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        first = chatwoot.message("Frist.")
        simulated_hub.done(chatwoot.event("message.created", message=first, **parts))
        with simulator.database.lock:
            simulator.database["Ticket"].rows[1]["content"] = "By an agent."
        edited = chatwoot.event("message.updated", message=replace(first, text="First."), **parts)
        assert isinstance(simulated_hub.refused(edited), Skip)
        assert simulator.tickets()[0]["content"] == "By an agent."


class TestEventsWithoutParts:
    def test_are_left_out(self, chatwoot: Any, simulated_hub: Any, parts: Any) -> None:
        for name, event_parts, sentence in (
            ("contact.created", {}, sentences.NO_CONTACT),
            ("conversation.created", {"contact": parts["contact"]}, sentences.NO_CONVERSATION),
            ("message.created", parts, sentences.NO_MESSAGE),
            ("message.updated", parts, sentences.NO_MESSAGE),
        ):
            event = chatwoot.event(name, **event_parts)
            skip = simulated_hub.refused(event)
            assert (type(skip), skip.sentence) == (Skip, sentence)
        message = chatwoot.event("message.created", message=chatwoot.message())
        assert simulated_hub.refused(message).sentence == sentences.NO_CONVERSATION

    def test_no_contact_at_all_with_anonymous_tickets(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, parts: Any
    ) -> None:
        hub = make_simulated_hub(anonymous_tickets=True)
        del parts["contact"]
        hub.done(chatwoot.event("conversation.created", **parts))
        for text in ("First.", "Second."):
            message = chatwoot.message(text)
            hub.done(chatwoot.event("message.created", message=message, **parts))
        assert len(simulator.tickets()) == 1
        assert len(simulator.followups()) == 1

    def test_two_sources_with_the_same_numbers(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        for source in (3, 4):
            where = Source(source, "generic")
            parts["conversation"] = replace(parts["conversation"], url=None)
            simulated_hub.done(chatwoot.event("conversation.created", source=where, **parts))
        assert len(simulator.tickets()) == 2


class TestMessageUpdates:
    def test_of_a_message_deleted_before_it_came(
        self, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start()
        gone = chatwoot.message("", deleted=True)
        event = chatwoot.event("message.updated", message=gone, **parts)
        assert hub.refused(event).sentence == sentences.DELETED_BEFORE

    def test_after_the_update_the_creation_adds_nothing(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start()
        message = chatwoot.message("More.")
        hub.done(chatwoot.event("message.updated", message=message, **parts))
        done = hub.done(chatwoot.event("message.created", message=message, **parts))
        assert done.sentence == sentences.FOLLOWUP_THERE.format(id=1, ticket=1)
        assert len(simulator.followups()) == 1

    def test_that_empties_a_message(self, chatwoot: Any, start: Any, parts: Any) -> None:
        hub = start()
        message = chatwoot.message("More.")
        hub.done(chatwoot.event("message.created", message=message, **parts))
        empty = chatwoot.event("message.updated", message=replace(message, text=""), **parts)
        assert hub.refused(empty).sentence == sentences.EMPTY_MESSAGE

    def test_on_a_ticket_that_is_gone(
        self, simulator: GlpiSimulator, chatwoot: Any, start: Any, parts: Any
    ) -> None:
        hub = start()
        more = chatwoot.message("More.")
        hub.done(chatwoot.event("message.created", message=more, **parts))
        with simulator.database.lock:
            simulator.database["Ticket"].rows.clear()
        parts["conversation"] = replace(parts["conversation"], status="resolved")
        hub.refused(chatwoot.event("conversation.resolved", version=2, **parts))
        for text in (more, chatwoot.message("First.", id="1001")):
            changed = replace(text, text="Other.")
            event = chatwoot.event("message.updated", message=changed, **parts)
            assert hub.refused(event).sentence == sentences.TICKET_PURGED.format(id=1)
            assert hub.requests == []


class TestOnGlpi95:
    def test_the_api_user_does_not_stay_requester(self, chatwoot: Any, make_simulated_hub: Any) -> None:  # fmt: skip # noqa: E501
        with GlpiSimulator(version="9.5.13") as old:
            hub = make_simulated_hub(api_url=old.api_url, anonymous_tickets=True)
            contact = chatwoot.contact(email=None)
            parts = {"contact": contact, "conversation": chatwoot.conversation()}
            hub.done(chatwoot.event("conversation.created", **parts))
            with Glpi.for_delivery(hub.worker()) as glpi:
                glpi.tickets.add_requester(1, user_id=2)
            known = replace(contact, email=chatwoot.email())
            hub.done(chatwoot.event("contact.updated", contact=known, version=2))
            assert old.tickets()[0]["_requesters"] == [old.users()[-1]["id"]]

    def test_a_ticket_that_takes_no_requester_any_more(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        hub = make_simulated_hub(anonymous_tickets=True)
        contact = chatwoot.contact(email=None)
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        simulator.add_fault(
            Fault("status", method="POST", path="Ticket_User", status=400,
                  body='["ERROR_GLPI_ADD", "No."]', content_type=JSON)
        )  # fmt: skip
        known = replace(contact, email=chatwoot.email())
        hub.done(chatwoot.event("contact.updated", contact=known, version=2))
        assert "GLPI refused to add it: No." in hub.last.story

    def test_a_ticket_purged_before_its_requester_is_known(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        hub = make_simulated_hub(anonymous_tickets=True)
        contact = chatwoot.contact(email=None)
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        with simulator.database.lock:
            simulator.database["Ticket"].rows.clear()
        known = replace(contact, email=chatwoot.email())
        hub.done(chatwoot.event("contact.updated", contact=known, version=2))
        message = chatwoot.event("message.created", message=chatwoot.message(), **parts)
        assert hub.refused(message).sentence == sentences.TICKET_PURGED.format(id=1)

    @pytest.mark.parametrize("version", ["9.5.13", "10.0.14"])
    def test_the_whole_way(self, chatwoot: Any, make_simulated_hub: Any, version: str) -> None:
        with GlpiSimulator(version=version) as other:
            hub = make_simulated_hub(api_url=other.api_url)
            parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
            texts = [chatwoot.message(text) for text in ("<First> & 1", "Second", "Third")]
            hub.done(*[chatwoot.event("message.created", message=text, **parts) for text in texts])
            parts["conversation"] = replace(parts["conversation"], status="resolved")
            hub.done(chatwoot.event("conversation.resolved", version=2, **parts))
            assert other.tickets()[0]["status"] == 5
            escaped = {"9.5.13": "&#60;First&#62; &amp; 1", "10.0.14": "&lt;First&gt; &amp; 1"}
            assert escaped[version] in other.tickets()[0]["content"]
            assert len(other.followups()) == 2
            hub.close()
            assert other.open_sessions() == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_who_types_another_conversations_address_gets_nothing_of_it(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, kind: str
) -> None:
    """Not even when the creation of that one's ticket was cut off."""
    hub, talk = make_simulated_hub(), chatwoot.conversation("1201")
    mallory = replace(chatwoot.contact(), id="66", email=chatwoot.email("mallory"))
    typed = chatwoot.message(f"See {talk.url}")
    lure = {"contact": mallory, "conversation": chatwoot.conversation("1200"), "message": typed}
    hub.done(chatwoot.event("message.created", **lure))
    simulator.add_fault(Fault(kind, method="POST", path="/Ticket"))
    mine = {"contact": chatwoot.contact(), "conversation": talk}
    event = chatwoot.event("message.created", message=chatwoot.message("Private."), **mine)
    hub.refused(event)
    chatwoot.clock.sleep(60)
    hub.done(event)
    lured, own = sorted(simulator.tickets(), key=lambda ticket: ticket["id"])
    assert "Private." not in lured["content"]
    assert "Private." in own["content"]
    assert simulator.followups() == []
