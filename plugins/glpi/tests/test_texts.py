"""What people read in tickets: where a conversation took place, and by what way it came."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import plugin, sentences
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Sender, SetupFailed, SurveyAnswer, survey_answer
from hub.sdk.settings import completed
from hub.sdk.testing.context import Crash


@pytest.fixture
def ticket(see: Any, chatwoot: Any) -> Any:
    """Reads a ticket of the test, the first unless another is asked for."""

    def read(index: int = 0) -> dict[str, Any]:
        number = see.tickets_containing(chatwoot.mark)[index]
        found: dict[str, Any] = see.call("GET", f"Ticket/{number}")
        return found

    return read


class TestInbox:
    """Its name, which only messages tell, stands in the ticket also when a conversation came
    first."""

    def test_is_named_by_a_message_that_waits(
        self, chatwoot: Any, hub: Any, contact: Any, ticket: Any
    ) -> None:
        said = chatwoot.event(
            "message.created",
            message=chatwoot.message(),
            contact=contact,
            conversation=chatwoot.conversation(inbox_id="5", inbox_name="Website"),
        )
        begun = chatwoot.conversation(inbox_id="5")
        event = chatwoot.event("conversation.created", contact=contact, conversation=begun)
        hub.done(event, waiting=[said])
        assert "Conversation 1201 in Website" in ticket()["content"]

    def test_is_known_to_the_next_conversation(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        for number, inbox, name in (
            ("1201", "5", "Website"),
            ("1202", "5", None),
            ("1203", "6", None),
            ("1204", None, None),
        ):
            talk = chatwoot.conversation(number, inbox_id=inbox, inbox_name=name)
            hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        assert "Conversation 1202 in Website" in ticket(1)["content"]
        assert "Conversation 1203 in Chatwoot" in ticket(2)["content"]
        assert "Conversation 1204 in Chatwoot" in ticket(3)["content"]

    def test_is_put_in_when_a_message_tells_it(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        parts = {"contact": contact, "conversation": chatwoot.conversation(inbox_id="5")}
        hub.done(chatwoot.event("conversation.created", **parts))
        parts["conversation"] = chatwoot.conversation(inbox_id="5", inbox_name="Website")
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert sentences.NO_MESSAGE_YET in ticket()["content"]
        assert "Conversation 1201 in Website" in ticket()["content"]
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert "PUT Ticket" not in " ".join(hub.requests)
        hub.done(chatwoot.event("message.created", message=chatwoot.message("Hi"), **parts))
        assert ticket()["content"].startswith("<p>Hi</p>")

    def test_is_not_put_over_what_a_technician_wrote(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any, see: Any
    ) -> None:
        hub = make_hub(first_message_grace=0)
        parts = {"contact": contact, "conversation": chatwoot.conversation(inbox_id="5")}
        hub.done(chatwoot.event("conversation.created", **parts))
        theirs = ticket()["content"].replace("Conversation", "See conversation")
        see.change(f"Ticket/{ticket()['id']}", content=theirs)
        parts["conversation"] = chatwoot.conversation(inbox_id="5", inbox_name="Website")
        hub.done(chatwoot.event("message.created", message=chatwoot.reply(), **parts))
        assert ticket()["content"] == theirs


class TestMails:
    OWN = "Still broken."
    WHOLE = (
        "Still broken.\n\n-- \nPetra, Tel. 030 123456\n\nOn Sat, 28 Nov 2026 at 15:00 Support "
        "<s@acme.example> wrote:\n> We look into it."
    )

    def mail(self, chatwoot: Any, **headers: str) -> Any:
        return chatwoot.message(
            self.OWN,
            whole_text=self.WHOLE,
            content_type="incoming_email",
            attributes={"email": headers},
        )

    @pytest.mark.parametrize(
        ("settings", "quoted"),
        [({}, False), ({"mail_quotations": "source"}, False), ({"mail_quotations": "whole"}, True)],
    )
    def test_first_and_later(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any, see: Any, settings: Any,
        quoted: bool,
    ) -> None:  # fmt: skip
        hub = make_hub(**settings)
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        for _ in range(2):
            message = self.mail(chatwoot, in_reply_to="x@y")
            hub.done(chatwoot.event("message.created", message=message, **parts))
        (followup,) = see.followups(ticket()["id"])
        assert "Petra, Tel. 030 123456" in ticket()["content"]
        assert ("Petra" in followup["content"]) == quoted
        for text in (ticket()["content"], followup["content"]):
            assert self.OWN in text
            assert ("We look into it." in text) == quoted
        hub.refused(chatwoot.event("message.updated", message=message, **parts))
        assert hub.requests == []

    def test_what_is_forwarded_is_kept(
        self, chatwoot: Any, hub: Any, contact: Any, ticket: Any, see: Any
    ) -> None:
        parts = {"contact": contact, "conversation": chatwoot.conversation()}
        for _ in range(2):
            message = self.mail(chatwoot, in_reply_to="x@y", subject="Fwd: Printer")
            hub.done(chatwoot.event("message.created", message=message, **parts))
        (followup,) = see.followups(ticket()["id"])
        assert "We look into it." in ticket()["content"]
        assert "We look into it." in followup["content"]

    def test_connections_of_old_keep_what_they_had(self) -> None:
        stored = {"api_url": "https://glpi.example/apirest.php", "user_token": "t"}
        assert plugin.settings().load(stored)["mail_quotations"] == "cut"
        assert completed(plugin.settings, stored)["mail_quotations"] == "source"


class TestSurveys:
    def survey(self, chatwoot: Any, rating: int, remark: str = "") -> Any:
        answer = {"csat_survey_response": {"rating": rating, "feedback_message": remark}}
        return chatwoot.message(
            "Please rate the conversation",
            id="1900",
            direction="template",
            sender=Sender("system"),
            content_type="input_csat",
            attributes={"submitted_values": answer},
        )

    @pytest.fixture
    def parts(self, chatwoot: Any, contact: Any) -> dict[str, Any]:
        return {"contact": contact, "conversation": chatwoot.conversation()}

    def test_an_answer_is_told_in_private_and_once(
        self, chatwoot: Any, make_hub: Any, parts: Any, ticket: Any, see: Any
    ) -> None:
        hub = make_hub(language="fr")
        hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        survey = self.survey(chatwoot, 4, "great,\nbut <slow>")
        hub.done(chatwoot.event("message.updated", message=survey, **parts))
        hub.refused(chatwoot.event("message.updated", message=survey, **parts))
        assert "ITILFollowup" not in " ".join(hub.requests)
        (followup,) = see.followups(ticket()["id"])
        assert followup["is_private"] == 1
        assert "Ann Lee a évalué la conversation : ★★★★☆ (4 sur 5)" in followup["content"]
        assert "<p>great,<br>but &lt;slow&gt;</p>" in followup["content"]
        survey = self.survey(chatwoot, 5)
        hub.done(chatwoot.event("message.updated", message=survey, **parts))
        (changed,) = see.followups(ticket()["id"])
        assert "★★★★★ (5 sur 5)" in changed["content"]
        assert changed["id"] == followup["id"]

    def test_an_answer_whose_adding_was_cut_off_is_found_again(
        self, chatwoot: Any, hub: Any, parts: Any, ticket: Any, see: Any
    ) -> None:
        hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        told = chatwoot.event("message.updated", message=self.survey(chatwoot, 5), **parts)
        with pytest.raises(Crash):
            hub.deliver(told, crash_at=4)
        assert ("followup", "3/1900/survey") in hub.store.links.intents
        assert len(see.followups(ticket()["id"])) == 1
        for _ in range(2):
            hub.deliver(told)
        assert len(see.followups(ticket()["id"])) == 1

    def test_an_answer_is_left_out_by_setting(
        self, chatwoot: Any, make_hub: Any, parts: Any, ticket: Any, see: Any
    ) -> None:
        hub = make_hub(survey_answers=False)
        hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        survey = self.survey(chatwoot, 5)
        hub.refused(chatwoot.event("message.updated", message=survey, **parts))
        assert see.followups(ticket()["id"]) == []

    def test_connections_of_old_tell_none(self) -> None:
        stored = {"api_url": "https://glpi.example/apirest.php", "user_token": "t"}
        assert completed(plugin.settings, stored)["survey_answers"] is False

    def test_a_survey_that_is_not_answered_yet_tells_nothing(self, chatwoot: Any) -> None:
        survey = self.survey(chatwoot, 5)
        assert survey_answer(survey) == SurveyAnswer(5)
        assert survey_answer(replace(survey, attributes={"display_type": "emoji"})) is None
        assert survey_answer(self.survey(chatwoot, 0)) is None


class TestRequestSource:
    @pytest.mark.parametrize(
        ("channel", "chosen", "stands"),
        [
            ("Channel::Email", None, 2),
            ("Channel::Email", 6, 2),
            ("Channel::WebWidget", 6, 6),
            ("Channel::WebWidget", None, 1),
            (None, None, 1),
        ],
    )
    def test_tells_the_channel(
        self, chatwoot: Any, make_hub: Any, contact: Any, ticket: Any, channel: Any, chosen: Any,
        stands: int,
    ) -> None:  # fmt: skip
        hub = make_hub(first_message_grace=0, request_source_id=chosen)
        talk = chatwoot.conversation(channel=channel)
        hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        assert ticket()["requesttypes_id"] == stands

    @pytest.mark.parametrize(
        ("sources", "stands"),
        [
            # Renamed; another is GLPI's own choice for mails; only the name is left; deleted.
            ({2: {"name": "Courriel"}}, 2),
            ({2: {"is_mail_default": 0}, 6: {"name": "Post", "is_mail_default": 1}}, 6),
            ({2: {"name": "Fax", "is_mail_default": 0}, 6: {"name": " eMail"}}, 6),
            ({2: {"is_active": 0}, 6: {"name": "E-mails"}}, 6),
            ({2: None}, 1),
        ],
    )
    def test_of_mails_is_the_one_that_glpi_says(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, contact: Any,
        sources: Any, stands: int,
    ) -> None:  # fmt: skip
        table = simulator.database["RequestType"]
        for number, values in sources.items():
            if values is None:
                table.remove(table.rows[number])
            else:
                table.update(table.rows[number], values)
        hub = make_simulated_hub(first_message_grace=0)
        talk = chatwoot.conversation(channel="Channel::Email")
        hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        (ticket,) = simulator.tickets()
        assert ticket["requesttypes_id"] == stands

    @pytest.mark.parametrize("login", ["tech", "glpi"])
    def test_of_mails_is_the_usual_one_where_it_may_not_be_read_or_was_never_looked_up(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, contact: Any,
        login: str,
    ) -> None:  # fmt: skip
        token = simulator.user_tokens[login]
        hub = make_simulated_hub(user_token=token, with_setup=login == "tech")
        talk = chatwoot.conversation(channel="Channel::Email")
        parts = {"contact": contact, "conversation": talk, "message": chatwoot.message()}
        hub.done(chatwoot.event("message.created", **parts))
        assert [ticket["requesttypes_id"] for ticket in simulator.tickets()] == [2]

    def test_that_was_deleted_since_does_not_refuse_the_ticket(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, contact: Any
    ) -> None:
        hub = make_simulated_hub(first_message_grace=0, request_source_id=6)
        table = simulator.database["RequestType"]
        for number in (2, 6):
            table.remove(table.rows[number])
        for number, channel in (("1", "Channel::Email"), ("2", "Channel::WebWidget")):
            talk = chatwoot.conversation(number, channel=channel)
            hub.done(chatwoot.event("conversation.created", contact=contact, conversation=talk))
        assert [ticket["requesttypes_id"] for ticket in simulator.tickets()] == [2, 6]

    def test_that_does_not_exist_is_told_at_setup(self, make_hub: Any) -> None:
        with pytest.raises(SetupFailed) as failed:
            make_hub(request_source_id=99)
        assert failed.value.sentence == sentences.REQUEST_SOURCE_MISSING.format(id=99)
        assert failed.value.field == "request_source_id"


@pytest.fixture
def contact(chatwoot: Any) -> Any:
    return chatwoot.contact()
