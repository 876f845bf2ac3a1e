"""The traps of writing to GLPI: ids, partial answers, emails, logins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Done, Rejected, RetryLater, Skip
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.support import JSON


class TestWriting:
    def test_an_id_in_a_body_is_refused(self, api: Any) -> None:
        """Trap 11: it would beat the id in the address."""
        with pytest.raises(ValueError, match="redirect"):
            api.users.update(20, {"id": 2})

    def test_a_missing_thing_is_refused_without_a_name(self, api: Any) -> None:
        """Trap 11: 400 and not 404."""
        with pytest.raises(Refused) as refused:
            api.users.update(99_999, {"phone": "1"})
        assert refused.value.nameless
        with pytest.raises(Missing):
            api.users.get(99_999)

    def test_some_refused_some_added(self, api: Any) -> None:
        """A 207 names each, in order."""
        ticket = api.tickets.create({"name": "t", "content": "x"})
        good, bad = {"content": "fine"}, {"content": ""}
        results = api.followups.create_each(ticket, [good, bad, good])
        assert [isinstance(result, int) for result in results] == [True, False, True]
        refused = api.followups.create_each(ticket, [bad, bad])
        assert [type(result) for result in refused] == [Refused, Refused]

    def test_a_refused_message_dies_alone(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        simulated_hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        body = (
            '["ERROR_GLPI_PARTIAL_ADD", [{"id": 5, "message": ""},'
            ' {"id": false, "message": "Too odd."}]]'
        )
        simulator.add_fault(
            Fault("status", path="ITILFollowup", status=207, body=body, content_type=JSON)
        )
        events = [
            chatwoot.event("message.created", message=chatwoot.message(text), **parts)
            for text in ("one", "two")
        ]
        first, second = simulated_hub.worker().deliver_batch(events)
        assert isinstance(first, Done)
        assert isinstance(second, Rejected)
        assert second.sentence == "GLPI refused to add it: Too odd."

    @pytest.mark.parametrize(
        "body", ["[]", '["ERROR_GLPI_ADD", "no"]', '[{"id": 1}, "what"]', '{"id": 7}']
    )
    def test_answers_that_do_not_fit_the_questions(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, body: str
    ) -> None:
        parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        simulated_hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        simulator.add_fault(
            Fault("status", path="ITILFollowup", status=201, body=body, content_type=JSON)
        )
        events = [
            chatwoot.event("message.created", message=chatwoot.message(text), **parts)
            for text in ("x", "y")
        ]
        assert isinstance(simulated_hub.refused(*events), RetryLater)

    def test_emails_are_added_not_replaced(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        """Trap 12, and going back to the first email adds nothing."""
        hub = make_simulated_hub(emails_follow=True)
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        other = replace(contact, email=chatwoot.email("other"))
        for version, state in enumerate((other, contact, other), 2):
            event = chatwoot.event("contact.updated", contact=state, version=version)
            hub.done(event)
        assert sorted(simulator.users()[-1]["_emails"]) == sorted([contact.email, other.email])

    def test_an_email_of_another_user_stays_there(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any
    ) -> None:
        hub = make_simulated_hub(emails_follow=True)
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        other = api.users.create({"name": "x", "_useremails": [chatwoot.email("taken")]})
        moved = replace(contact, email=chatwoot.email("taken"), name="Ann Li")
        hub.done(chatwoot.event("contact.updated", contact=moved, version=2))
        users = {user["id"]: user["_emails"] for user in simulator.users()}
        assert users[other] == [moved.email]
        assert [contact.email] in users.values()
        assert any(str(other) in sentence for sentence in hub.last.story)
        again = chatwoot.event("contact.updated", contact=moved, version=3)
        assert isinstance(hub.refused(again), Skip)
        assert hub.requests == []

    def test_a_phone_stub_that_turns_out_to_be_known(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        known = api.users.create({"name": "x", "_useremails": [chatwoot.email()]})
        stub = chatwoot.contact(email=None, phone="+34612345678")
        simulated_hub.done(chatwoot.event("contact.created", contact=stub))
        named = replace(stub, email=chatwoot.email())
        done = simulated_hub.done(chatwoot.event("contact.updated", contact=named, version=2))
        assert f"User {known} found by email" in done.sentence

    def test_a_place_in_an_entity_needs_a_profile(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        """Trap 13."""
        simulator.seed()
        hub = make_simulated_hub(entity_id=1, user_profile_id=1)
        hub.done(chatwoot.event("contact.created", contact=chatwoot.contact()))
        user = simulator.users()[-1]
        (place,) = [p for p in simulator.rows("Profile_User") if p["users_id"] == user["id"]]
        assert (place["entities_id"], place["profiles_id"]) == (1, 1)

    def test_logins_are_valid_on_9_5_too(self, chatwoot: Any, make_simulated_hub: Any) -> None:
        """Trap 6: no plus sign, neither in a number nor in an email."""
        with GlpiSimulator(version="9.5.13") as old:
            hub = make_simulated_hub(with_setup=False, api_url=old.api_url)
            hub.settings["user_token"] = old.user_tokens["glpi"]
            for number, values in enumerate(
                [{"email": "a+b@x.example"}, {"email": None, "phone": "+34612345678"}]
            ):
                contact = chatwoot.contact(id=str(number), **values)
                hub.done(chatwoot.event("contact.created", contact=contact))
            assert [u["name"] for u in old.users()][-2:] == ["a-b@x.example", "34612345678"]

    def test_a_login_of_someone_else(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        api.users.create({"name": "a-b@x.example", "_useremails": ["a-b@x.example"]})
        contact = chatwoot.contact(email="a+b@x.example")
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert simulator.users()[-1]["name"] == "a-b@x.example-3-17"

    def test_a_spare_login_that_is_ours_already(
        self, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        api.users.create({"name": "a-b@x.example", "_useremails": ["a-b@x.example"]})
        ours = api.users.create({"name": "a-b@x.example-3-17"})
        contact = chatwoot.contact(email="a+b@x.example")
        done = simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert str(ours) in done.sentence
