"""People of whom nothing is known yet, and those whom only a network knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import plugin, sentences
from hub_glpi.processor import GlpiProcessor
from hub_glpi.settings import GlpiSettings
from hub_glpi.simulator import GlpiSimulator
from marshmallow import ValidationError

from hub.sdk import KeepBack, Skip
from hub.sdk.settings import completed
from hub.sdk.testing.context import Crash

TOKENS = {"api_url": "https://glpi.example.com/apirest.php", "user_token": "u"}


def visitor(chatwoot: Any) -> dict[str, Any]:
    contact = replace(chatwoot.contact(email=None), name="billowing-night-17")
    return {"contact": contact, "conversation": chatwoot.conversation()}


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        ({}, "at_once"),
        ({"anonymous_tickets": True}, "at_once"),
        ({"anonymous_tickets": "false"}, "when_known"),
        ({"anonymous_tickets": True, "unknown_people": "nothing"}, "nothing"),
    ],
)
def test_the_old_setting_is_understood(given: Mapping[str, Any], wish: str) -> None:
    loaded = GlpiSettings().load({**TOKENS, **given})
    assert loaded["unknown_people"] == wish
    assert "anonymous_tickets" not in loaded


def test_the_old_setting_wants_yes_or_no() -> None:
    with pytest.raises(ValidationError, match="anonymous_tickets"):
        GlpiSettings().load({**TOKENS, "anonymous_tickets": "perhaps"})


@pytest.mark.parametrize(
    ("stored", "wish"),
    [
        ({}, "when_known"),
        ({"anonymous_tickets": False}, "when_known"),
        ({"anonymous_tickets": True}, "at_once"),
        ({"unknown_people": "nothing"}, "nothing"),
    ],
)
def test_connections_that_stand_lose_nothing(stored: Mapping[str, Any], wish: str) -> None:
    assert completed(GlpiSettings, {**TOKENS, **stored})["unknown_people"] == wish


def test_it_is_kept_back_for_as_long_as_the_settings_say(
    chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub(unknown_people="when_known", keep_days=7)
    parts = visitor(chatwoot)
    for event in (
        chatwoot.event("conversation.created", **parts),
        chatwoot.event("message.created", message=chatwoot.message(), **parts),
        chatwoot.event("message.updated", message=chatwoot.message(), **parts),
        # What it deletes is kept back, too.
        chatwoot.event(
            "message.updated", message=replace(chatwoot.message(), deleted=True), **parts
        ),
        chatwoot.event("conversation.resolved", **parts),
    ):
        ending = hub.refused(event)
        assert (type(ending), ending.days) == (KeepBack, 7)
        assert hub.requests == []
        assert not GlpiProcessor.is_known(event, None)


def test_somebody_may_insist(simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any) -> None:  # noqa: E501  # fmt: skip
    assert plugin.processor.can_insist
    for wish in ("when_known", "nothing"):
        hub = make_simulated_hub(unknown_people=wish)
        worker = hub.worker()
        worker.insisted = True
        message = chatwoot.event("message.created", message=chatwoot.message(), **visitor(chatwoot))
        worker.deliver(message)
        assert "billowing-night-17" in simulator.tickets()[-1]["content"]
        assert simulator.tickets()[-1]["_requesters"] == []
    assert len(simulator.tickets()) == 2


def test_a_ticket_that_stands_takes_what_comes(chatwoot: Any, make_simulated_hub: Any) -> None:
    hub = make_simulated_hub(unknown_people="when_known")
    parts = visitor(chatwoot)
    known = replace(parts["contact"], email=chatwoot.email())
    hub.done(chatwoot.event("conversation.created", **{**parts, "contact": known}))
    # Built before the email was known, and overtaken.
    hub.done(chatwoot.event("message.created", message=chatwoot.message("late"), **parts))


@pytest.mark.parametrize("default_user", [None, 4])
@pytest.mark.parametrize("how", ["update", "message", "merge"])
def test_the_ticket_gets_its_requester(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, how: str, default_user: int
) -> None:
    hub = make_simulated_hub(unknown_people="at_once", default_user_id=default_user)
    parts = visitor(chatwoot)
    message = chatwoot.message()
    hub.done(chatwoot.event("message.created", message=message, **parts))
    assert simulator.tickets()[0]["_requesters"] == ([default_user] if default_user else [])
    known = replace(parts["contact"], email=chatwoot.email())
    if how == "merge":
        known = replace(known, id="8327")
    told = {**parts, "contact": known}
    event = {
        "update": lambda: chatwoot.event("contact.updated", contact=known, version=2),
        "message": lambda: chatwoot.event("message.created", message=chatwoot.message("x"), **told),
        "merge": lambda: chatwoot.event("message.updated", message=message, **told),
    }[how]()
    hub.deliver(event)
    (user,) = [user for user in simulator.users() if user["name"] == known.email]
    assert simulator.tickets()[0]["_requesters"] == [user["id"]]
    hub.deliver(chatwoot.event("message.created", message=chatwoot.message("more"), **told))
    assert simulator.tickets()[0]["_requesters"] == [user["id"]]


def test_a_requester_whom_somebody_set_stays(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub(unknown_people="at_once", default_user_id=4)
    parts = visitor(chatwoot)
    hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
    with simulator.database.lock:
        (actor,) = simulator.database["Ticket_User"].rows.values()
        actor["users_id"] = 5
    known = replace(parts["contact"], email=chatwoot.email())
    hub.done(chatwoot.event("contact.updated", contact=known, version=2))
    assert simulator.tickets()[0]["_requesters"] == [5, simulator.users()[-1]["id"]]


def test_glpi_95_puts_nobody_there_unasked(chatwoot: Any, make_simulated_hub: Any) -> None:
    with GlpiSimulator(version="9.5.13") as old:
        hub = make_simulated_hub(api_url=old.api_url, unknown_people="at_once")
        hub.done(chatwoot.event("conversation.created", **visitor(chatwoot)))
        assert old.tickets()[0]["_requesters"] == []


@pytest.mark.parametrize("use_contact", [False, True])
@pytest.mark.parametrize("wish", ["at_once", "when_known", "nothing"])
def test_whom_a_network_knows_has_a_record_of_his_own(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, wish: str, use_contact: bool
) -> None:
    hub = make_simulated_hub(unknown_people=wish, use_contact=use_contact)
    for number in ("8341", "8342"):
        contact = replace(
            chatwoot.contact(email=None),
            id=number,
            name="Tom Telegraph",
            networks={"telegram": "308786162"},
        )
        conversation = replace(chatwoot.conversation(), id=number)
        parts = {"contact": contact, "conversation": conversation}
        for text in ("one", "two"):
            event = chatwoot.event("message.created", message=chatwoot.message(text), **parts)
            assert GlpiProcessor.is_known(event, None)
            hub.done(event)
    assert len(simulator.tickets()) == 2
    table = simulator.database["Contact" if use_contact else "User"].rows.values()
    made = [row for row in table if row.get("firstname") == "Tom"]
    field = "comment" if use_contact else "name"
    assert [row[field] for row in made] == [
        f"telegram-308786162-{chatwoot.source.id}-{number}" for number in ("8341", "8342")
    ]


@pytest.mark.parametrize("use_contact", [False, True])
def test_a_record_whose_creation_was_cut_off_is_found_again(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, use_contact: bool
) -> None:
    hub = make_simulated_hub(use_contact=use_contact)
    contact = replace(chatwoot.contact(email=None), identifier="K-4711", name="")
    event = chatwoot.event("contact.created", contact=contact)
    itemtype = "Contact" if use_contact else "User"
    before = len(simulator.database[itemtype].rows)
    died_after: list[str] = []
    for boundary in range(1, 50):
        worker = hub.worker(crash_at=boundary)
        try:
            worker.deliver(event)
        except Crash:
            died_after.append(worker.boundaries[-1])
        else:
            break
    assert any(name.startswith("after POST") and name.endswith(itemtype) for name in died_after)
    assert len(simulator.database[itemtype].rows) == before + 1


def test_a_conversation_without_any_contact_is_left_out_by_the_settings(
    chatwoot: Any, make_simulated_hub: Any
) -> None:
    hub = make_simulated_hub(unknown_people="nothing")
    parts = {"conversation": chatwoot.conversation()}
    ending = hub.refused(chatwoot.event("conversation.created", **parts))
    assert (type(ending), ending.sentence) == (Skip, sentences.UNKNOWN_LEFT_OUT)
