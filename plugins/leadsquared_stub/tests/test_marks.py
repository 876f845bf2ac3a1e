"""People who are known only by the id of a network, or of the site: leads with a mark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_leadsquared.processor import LeadSquaredProcessor
from hub_leadsquared.settings import LeadSquaredSettings
from marshmallow import ValidationError

from hub.sdk import Contact, KeepBack, RetryLater, SetupFailed
from hub.sdk.testing.simulator import Fault

FIELD = "mx_Chatwoot_Person"
TOM = Contact("8341", "Tom Telegraph", networks={"telegram": "308786162"})
MARK = "telegram 308786162 (1/8341)"
SITE = Contact("9", "K. User", identifier="K-4711")
REFUSAL = (
    '{"Status":"Error","ExceptionType":"MXInvalidInputException",'
    '"ExceptionMessage":"Invalid attribute"}'
)


@pytest.fixture
def marked(world: Any) -> Any:
    """A hook with the field, which is unique in LeadSquared."""
    world.settings["identity_field"] = FIELD
    world.simulator._leads.unique |= {FIELD}
    return world


def only(world: Any) -> dict[str, str]:
    (lead,) = world.simulator.leads()
    assert isinstance(lead, dict)
    return lead


@pytest.mark.parametrize(
    ("contact", "mark"), [(TOM, MARK), (SITE, "identifier K-4711 (1/9)")], ids=["network", "site"]
)
def test_the_activities_stand_at_a_lead_of_their_own(
    marked: Any, contact: Contact, mark: str
) -> None:
    marked.done(marked.events.conversation_created(contact))
    marked.done(marked.events.resolved(contact))
    lead = only(marked)
    assert (lead[FIELD], lead["Source"]) == (mark, "Chatwoot")
    assert f"{lead['FirstName']} {lead['LastName']}" == contact.name
    assert [row["RelatedProspectId"] for row in marked.simulator.activities()] == [
        lead["ProspectID"]
    ] * 2


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "throttle"])
@pytest.mark.parametrize("gives_email", [False, True])
def test_it_is_found_again_when_its_creation_was_cut_off(
    marked: Any, kind: Any, gives_email: bool
) -> None:
    event = marked.events.conversation_created(TOM)
    marked.simulator.add_fault(Fault(kind, path="Lead.Create"))
    assert isinstance(marked.deliver(event), RetryLater)
    then = replace(TOM, email="tom@example.com") if gives_email else TOM
    marked.done(replace(event, contact=then))
    assert len(marked.simulator.leads()) == 1
    assert len(marked.simulator.activities()) == 1
    marked.done(marked.events.contact_updated(replace(then, name="Tom New"), "name"))
    assert only(marked)["LastName"] == "New"


def test_two_people_of_one_name_are_two_leads(marked: Any) -> None:
    other = replace(TOM, id="8342", networks={"telegram": "99"})
    for contact in (TOM, other):
        marked.done(marked.events.conversation_created(contact, number=contact.id))
    assert len(marked.simulator.leads()) == 2


def test_one_id_at_two_contacts_is_two_leads(marked: Any) -> None:
    """What somebody gives as the site's own id leads nowhere else."""
    for number in ("9", "10"):
        marked.done(marked.events.conversation_created(replace(SITE, id=number), number=number))
    assert len(marked.simulator.leads()) == 2


def test_a_lead_whose_link_was_lost_is_found_by_its_mark(marked: Any) -> None:
    marked.done(marked.events.conversation_created(TOM))
    del marked.store.links.links["lead", "1/8341"]
    marked.done(marked.events.conversation_created(TOM, number="43"))
    assert len(marked.simulator.leads()) == 1
    assert "not proven" not in str(marked.simulator.activities())


def test_what_the_search_shows_is_compared(marked: Any) -> None:
    stranger = marked.simulator.add_lead(EmailAddress="s@example.com")
    row = f'[{{"ProspectID": "{stranger}", "{FIELD}": "telegram 3"}}]'
    marked.simulator.add_fault(Fault("garbage", path="Leads.Get$", body=row))
    marked.done(marked.events.conversation_created(TOM))
    assert marked.simulator.activities()[0]["RelatedProspectId"] != stranger


def test_who_has_no_name_is_called_by_the_id(marked: Any) -> None:
    marked.done(marked.events.conversation_created(replace(TOM, name="🌸")))
    assert only(marked)["FirstName"] == "telegram 308786162"
    marked.done(marked.events.contact_updated(TOM, "name"))
    assert (only(marked)["FirstName"], only(marked)["LastName"]) == ("Tom", "Telegraph")


def test_an_email_given_later_is_told_and_changes_nothing(marked: Any) -> None:
    marked.done(marked.events.conversation_created(TOM))
    before = only(marked)
    known = replace(TOM, email="boss@corp.example")
    marked.done(marked.events.contact_updated(known, "email"))
    marked.done(marked.events.resolved(known))
    assert only(marked) == before
    (note,) = marked.notes()
    assert note.startswith("The contact gave another address, not proven: boss@corp.example.\n")


def test_who_has_an_email_needs_no_mark(marked: Any) -> None:
    marked.done(marked.events.conversation_created(replace(TOM, email="tom@example.com")))
    assert only(marked).get(FIELD, "") == ""
    assert "Leads.Get" not in marked.calls


def test_a_visitor_of_whom_nothing_is_known_is_waited_for(marked: Any) -> None:
    visitor = Contact("7", "billowing-night-17")
    marked.fails(marked.events.conversation_created(visitor), KeepBack)
    assert marked.simulator.leads() == []


@pytest.mark.parametrize("insisted", [False, True])
def test_without_the_field_it_waits_whoever_insists(world: Any, insisted: bool) -> None:
    """Nobody can: there is no lead to show anything at, and the button is not shown."""
    assert not LeadSquaredProcessor.can_insist
    context = world.context()
    context.insisted = insisted
    outcome = context.deliver(world.events.conversation_created(TOM))
    assert isinstance(outcome, KeepBack)
    assert outcome.sentence == (
        "It is not known yet who the customer is: neither email nor phone number."
    )
    assert world.simulator.leads() == []


def test_an_id_that_comes_later_tells_who_it_is(marked: Any) -> None:
    known = LeadSquaredProcessor.is_known
    begun = marked.events.conversation_created(Contact("9", "billowing-night-17"))
    assert not known(begun, None)
    assert known(marked.events.contact_updated(SITE, "identifier"), None)
    assert known(replace(begun, contact=TOM), None)
    # With each message, all that waits would be tried again where there is no field.
    assert not known(replace(marked.events.message(1, "hello"), contact=TOM), None)


class TestTheField:
    def test_the_setup_looks_for_it(self, marked: Any) -> None:
        marked.set_up()
        assert marked.last.steps == ["keys", "server", "activities", "field"]
        (request,) = marked.simulator.requests("POST", "Leads.Get$")
        assert f'"LookupName": "{FIELD}"' in request.text

    def test_a_field_that_leads_do_not_have_is_told(self, marked: Any) -> None:
        marked.simulator.add_fault(Fault("garbage", path="Leads.Get$", body=REFUSAL))
        with pytest.raises(SetupFailed) as caught:
            marked.set_up()
        assert caught.value.field == "identity_field"
        assert FIELD in caught.value.sentence

    @pytest.mark.parametrize("name", ["Mobile", "EmailAddress", "mx_", "mx_a b", "mx_ä"])
    def test_only_a_custom_field_will_do(self, name: str) -> None:
        given = {"access_key": "a", "secret_key": "b", "identity_field": name}
        with pytest.raises(ValidationError) as caught:
            LeadSquaredSettings().load(given)
        assert list(caught.value.messages_dict) == ["identity_field"]
