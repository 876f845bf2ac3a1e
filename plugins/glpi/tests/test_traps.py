"""Every trap of the facts page that a client can fall into, and that this one does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_glpi.api import Glpi, answers, search
from hub_glpi.api.answers import Answer
from hub_glpi.api.people import texts
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import NeedsAttention, Rejected, RetryLater, Skip
from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.support import JSON


class TestAnswersThatAreNone:
    """Trap 1: HTTP 200 does not mean success."""

    @pytest.mark.parametrize("kind", ["html", "empty", "garbage"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_html_and_nothing_are_transient(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, kind: Any, method: str
    ) -> None:
        simulator.add_fault(Fault(kind, method=method, path="User"))
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        assert isinstance(simulated_hub.refused(event), RetryLater)
        simulated_hub.done(event)
        assert len([u for u in simulator.users() if u["_emails"]]) == 1

    @pytest.mark.parametrize(
        "body", ['["ERROR_GLPI_ADD", "no"]', '{"message": "x"}', '{"id": false}', "true", "[]"]
    )
    def test_json_of_another_shape_is_no_success(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, body: str
    ) -> None:
        simulator.add_fault(
            Fault("status", method="POST", path="User", status=201, body=body, content_type=JSON)
        )
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        assert isinstance(simulated_hub.refused(event), RetryLater)

    def test_an_error_with_status_200_is_no_success(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        contact = chatwoot.contact()
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        simulator.add_fault(
            Fault("status", method="PUT", status=200, body='["ERROR_GLPI_UPDATE", "no"]',
                  content_type=JSON)
        )  # fmt: skip
        renamed = replace(contact, name="Ann Li")
        event = chatwoot.event("contact.updated", contact=renamed, version=2)
        assert isinstance(simulated_hub.refused(event), RetryLater)

    def test_a_session_without_token_is_none(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        simulator.add_fault(
            Fault("status", path="initSession", status=200, body="{}", content_type=JSON)
        )
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        assert isinstance(simulated_hub.refused(event), RetryLater)

    def test_a_list_where_one_thing_was_asked_for(self) -> None:
        with pytest.raises(RetryLater):
            answers.record(Answer(200, [{"id": 2}]))

    def test_a_web_server_that_refuses_the_size(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        simulator.add_fault(Fault("status", path="User", status=413, body="<html>"))
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        error = simulated_hub.refused(event)
        assert type(error) is Rejected

    def test_a_redirect_asks_for_a_new_setup(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        simulator.add_fault(Fault("status", path="initSession", status=301, body=""))
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        error = simulated_hub.refused(event)
        assert isinstance(error, NeedsAttention)
        assert error.field == "api_url"


class TestSearching:
    def test_an_empty_question_is_never_asked(self, api: Any) -> None:
        """Trap 3: an empty value fits everybody."""
        for pattern in ("", "^$", "%%"):
            with pytest.raises(ValueError, match="everything"):
                search.any_of(api.connection, "User", [search.Condition(5, pattern)], [2])

    def test_data_is_absent_when_nothing_is_found(self) -> None:
        assert answers.rows(Answer(200, {"totalcount": 0, "count": 0})) == []

    def test_a_list_with_gaps_comes_as_an_object(self) -> None:
        body = {"data": {"0": {"2": 7, "raw": 1}, "3": {"2": 9}}}
        assert answers.rows(Answer(200, body)) == [{2: 7}, {2: 9}]

    @pytest.mark.parametrize("value", [["a", "b"], "a$#$b", "a<br>b", "a\nb"])
    def test_several_values_in_a_column(self, value: Any) -> None:
        assert texts(value) == ("a", "b")

    def test_several_hits_by_email(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        """Trap 4: active first, then the email itself, then the lowest id; and it is told."""
        email = chatwoot.email()
        disabled = api.users.create({"name": "a", "_useremails": [email], "is_active": 0})
        as_login = api.users.create({"name": email})
        lower = api.users.create({"name": "b", "_useremails": [email]})
        api.users.create({"name": "c", "_useremails": [email]})
        event = chatwoot.event("contact.created", contact=chatwoot.contact(email=email))
        done = simulated_hub.done(event)
        assert done.sentence == f"User {lower} found by email."
        assert simulated_hub.last.story[0].startswith(f"4 records in GLPI fit; record {lower}")
        assert disabled < as_login < lower

    def test_a_disabled_user_is_used_when_there_is_no_other(
        self, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        """Trap 14."""
        email = chatwoot.email()
        user = api.users.create({"name": "a", "_useremails": [email], "is_active": 0})
        event = chatwoot.event("contact.created", contact=chatwoot.contact(email=email))
        assert str(user) in simulated_hub.done(event).sentence

    def test_a_switchboard_identifies_nobody(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        phone = "+34612345678"
        for name in ("a", "b"):
            email = chatwoot.email(name)
            api.users.create({"name": name, "phone": phone, "_useremails": [email]})
        contact = chatwoot.contact(phone=phone)
        done = simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert done.sentence.endswith("created.")

    def test_the_one_owner_of_a_number_is_the_person(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        phone, private = "+34612345678", chatwoot.email("private")
        user = api.users.create({"name": "a", "phone": phone, "_useremails": [private]})
        contact = chatwoot.contact(phone=phone)
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert simulator.users()[-1]["id"] == user
        assert simulator.users()[-1]["_emails"] == [private]

    def test_digits_in_another_order_are_another_number(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        api.users.create({"name": "a", "phone": "+34 6 1 2 3 4 5 6 7 8 9"})
        contact = chatwoot.contact(email=None, phone="+34612345678")
        done = simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        assert done.sentence.endswith("created.")

    def test_a_login_that_is_the_email_is_the_person(
        self, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        user = api.users.create({"name": chatwoot.email()})
        done = simulated_hub.done(chatwoot.event("contact.created", contact=chatwoot.contact()))
        assert f"User {user} found by email" in done.sentence


class TestDates:
    @pytest.mark.parametrize("offset", [-210, 0, 345])
    def test_the_servers_clock(self, chatwoot: Any, make_simulated_hub: Any, offset: int) -> None:
        """Trap 7: no ISO 8601, and in the server's own zone."""
        chatwoot.clock.moment = datetime.now(UTC).replace(microsecond=0)
        with GlpiSimulator(utc_offset_minutes=offset) as there:
            hub = make_simulated_hub(api_url=there.api_url)
            moment = chatwoot.clock.now() - timedelta(hours=1)
            parts = {
                "contact": chatwoot.contact(),
                "conversation": chatwoot.conversation(created_at=moment),
            }
            for message in (
                chatwoot.message("first", created_at=moment),
                chatwoot.reply("second", created_at=moment),
            ):
                hub.done(chatwoot.event("message.created", message=message, **parts))
            local = (moment + timedelta(minutes=offset)).strftime("%Y-%m-%d %H:%M:%S")
            assert there.tickets()[0]["date"] == local
            assert there.followups()[0]["date"] == local
            assert f"· {local[:16]} UTC" in there.followups()[0]["content"]

    def test_a_ticket_is_never_from_the_future(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        later = chatwoot.clock.now() + timedelta(days=1)
        parts = {
            "contact": chatwoot.contact(),
            "conversation": chatwoot.conversation(created_at=later),
        }
        simulated_hub.done(chatwoot.event("conversation.created", **parts))
        assert simulator.tickets()[0]["date"] <= simulator.state()["now"]


class TestReferences:
    def test_a_ticket_never_takes_a_contacts_id(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        """Trap 8: it would make a stranger the requester."""
        hub = make_simulated_hub(use_contact=True)
        parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        (ticket,) = simulator.tickets()
        assert ticket["_requesters"] == []
        assert ticket["_requester_emails"] == [parts["contact"].email]

    def test_a_user_not_seen_for_long_is_looked_at(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, api: Any
    ) -> None:
        """Trap 9: a requester who does not exist is dropped in silence."""
        contact = chatwoot.contact()
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        old = simulator.users()[-1]["id"]
        chatwoot.clock.sleep(8 * 86_400)
        parts = {"contact": contact, "conversation": chatwoot.conversation("1")}
        simulated_hub.done(chatwoot.event("conversation.created", **parts))
        assert simulated_hub.requests == [f"GET User/{old}", "POST Ticket"]
        api.connection.delete(f"User/{old}")
        chatwoot.clock.sleep(8 * 86_400)
        parts["conversation"] = chatwoot.conversation("2")
        simulated_hub.done(chatwoot.event("conversation.created", **parts))
        assert f"User {old} was deleted in GLPI." in simulated_hub.last.story
        new = simulator.users()[-1]["id"]
        assert simulator.tickets()[-1]["_requesters"] == [new]
        assert new != old

    def test_a_contact_not_seen_for_long_is_looked_at(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, api: Any
    ) -> None:
        hub = make_simulated_hub(use_contact=True)
        contact = chatwoot.contact()
        hub.done(chatwoot.event("contact.created", contact=contact))
        (old,) = simulator.contacts()
        chatwoot.clock.sleep(8 * 86_400)
        api.connection.delete(f"Contact/{old['id']}")
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        (new,) = simulator.contacts()
        assert new["id"] != old["id"]
        gone = chatwoot.event("contact.updated", contact=replace(contact, name="X Y"), version=3)
        api.connection.delete(f"Contact/{new['id']}")
        assert isinstance(hub.refused(gone), Skip)
        assert isinstance(hub.refused(gone), Skip)
        assert hub.requests == []

    def test_category_entity_and_type(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
    ) -> None:
        simulator.seed()
        hub = make_simulated_hub(entity_id=1, category_id=1, ticket_type="2")
        parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("conversation.created", **parts))
        (ticket,) = simulator.tickets()
        assert (ticket["entities_id"], ticket["itilcategories_id"], ticket["type"]) == (1, 1, 2)


class TestReading:
    def test_text_comes_back_encoded(self, api: Any) -> None:
        """Trap 10, and names too."""
        ticket = api.tickets.create({"name": "<b>Bo & Co", "content": "<p>a &amp; b</p>"})
        read = api.tickets.get(ticket)
        assert (read["name"], read["content"]) == ("<b>Bo & Co", "<p>a &amp; b</p>")

    def test_followups_are_read_page_by_page(self, api: Any) -> None:
        ticket = api.tickets.create({"name": "t", "content": "x"})
        api.followups.create_each(ticket, [{"content": f"n{n}"} for n in range(130)])
        found = [item["content"] for item in api.followups.newest_first(ticket)]
        assert found == [f"n{n}" for n in reversed(range(130))]

    def test_no_connection_outside_of_with(self, simulated_hub: Any) -> None:
        glpi = Glpi.for_delivery(simulated_hub.worker())
        with pytest.raises(RuntimeError):
            glpi.tickets.get(1)
        with glpi, pytest.raises(RuntimeError), glpi:
            pass
        with pytest.raises(RuntimeError):
            glpi.tickets.get(1)


class TestSessions:
    def test_a_forgotten_session_is_renewed_once(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        """Trap 17."""
        warm = chatwoot.contact(id="1", email=chatwoot.email("warm"))
        simulated_hub.done(chatwoot.event("contact.created", contact=warm))
        simulator.expire_sessions()
        contact = chatwoot.contact(phone="+34612345678")
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        calls = [call.url for call in simulated_hub.last.calls]
        assert sum("initSession" in url for url in calls) == 1
        assert len(simulator.open_sessions()) == 1

    def test_a_session_that_is_forgotten_at_once_is_tried_later(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        body = '["ERROR_SESSION_TOKEN_INVALID", "?"]'
        simulator.add_fault(
            Fault("status", path="search", status=401, body=body, times=2, content_type=JSON)
        )
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        assert isinstance(simulated_hub.refused(event), RetryLater)
        simulated_hub.done(event)

    def test_closing_a_forgotten_session_is_fine(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        simulated_hub.done(event)
        simulator.expire_sessions()
        simulated_hub.close()
        assert simulated_hub.store.free_sessions == []

    def test_sessions_are_closed(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        event = chatwoot.event("contact.created", contact=chatwoot.contact())
        simulated_hub.done(event)
        assert len(simulator.open_sessions()) == 1
        simulated_hub.close()
        assert simulator.open_sessions() == []

    def test_the_setup_does_not_renew(
        self, simulator: GlpiSimulator, make_simulated_hub: Any
    ) -> None:
        body = '["ERROR_SESSION_TOKEN_INVALID", "?"]'
        simulator.add_fault(
            Fault("status", path="getGlpiConfig", status=401, body=body, content_type=JSON)
        )
        with pytest.raises(RetryLater):
            make_simulated_hub()
