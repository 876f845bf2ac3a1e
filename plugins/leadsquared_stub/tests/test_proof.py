"""What a visitor types finds a lead and changes none: every way a visitor has of naming others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_leadsquared.api.errors import Duplicate

from hub.sdk import Contact, Done, Remote, Skip
from hub.sdk.testing.simulator import Fault

NUMBER, STORED, OTHER_NUMBER = "+4915112345678", "+49-15112345678", "+4915199999999"
MALLORY = Contact("7", "Mallory Evil", "boss@corp.example", OTHER_NUMBER)
PHONE = frozenset({"phone"})


def live(world: Any, first: Contact, then: Contact) -> None:
    """Somebody gives one address, begins to talk, gives another, and the talk ends."""
    story: list[str] = []
    for event in (
        world.events.contact_created(first),
        world.events.conversation_created(first),
        world.events.contact_updated(then, "name", "email", "phone_number", version=9),
        world.events.resolved(then),
    ):
        outcome = world.deliver(event)
        assert isinstance(outcome, Done | Skip), outcome
        story += world.last.story
    world.story = story


@pytest.mark.parametrize(
    "proven", [frozenset(), frozenset({"identifier"})], ids=["typed", "signed identifier"]
)
def test_a_lead_of_others_is_found_and_left(world: Any, proven: frozenset[str]) -> None:
    """By pre-chat form, in the chat, by ``set_user``, a forged From or a merge: the hub sees one
    and the same thing, a contact with the email."""
    boss = world.simulator.add_lead(EmailAddress="boss@corp.example", LastName="Boss")
    before = world.simulator.leads()
    first = replace(MALLORY, proven=proven, identifier="K-1")
    live(world, first, replace(first, name="Mal Ice", email="m@evil.example"))
    assert world.simulator.leads() == before
    assert {row["RelatedProspectId"] for row in world.simulator.activities()} == {boss}
    assert "The contact gave another number, not proven: +49-15199999999." in world.story
    assert "The contact gave another address, not proven: m@evil.example." in world.story
    assert "The contact gave another name, not proven: Mal Ice." in world.story


def test_a_lead_found_by_a_typed_number_is_left(world: Any) -> None:
    world.simulator.add_lead(Mobile=STORED, LastName="Owner")
    before = world.simulator.leads()
    live(world, replace(MALLORY, phone=NUMBER), replace(MALLORY, phone=None))
    assert world.simulator.leads() == before


def test_a_whatsapp_profiles_name_changes_no_lead_of_others(world: Any) -> None:
    world.simulator.add_lead(Mobile=STORED, LastName="Owner")
    before = world.simulator.leads()
    shown = Contact("7", "Mallory Evil", phone=NUMBER, proven=PHONE)
    live(world, shown, shown)
    assert world.simulator.leads() == before


def test_of_the_hubs_own_lead_the_name_follows(world: Any, ann: Contact) -> None:
    live(world, ann, replace(ann, name="Mallory Evil", email="m@evil.example", phone=OTHER_NUMBER))
    (lead,) = world.simulator.leads()
    assert (lead["FirstName"], lead["LastName"]) == ("Mallory", "Evil")
    assert (lead["EmailAddress"], lead["Mobile"]) == ("ann@example.com", STORED)


def test_a_second_contact_with_the_email_of_the_hubs_lead(world: Any, ann: Contact) -> None:
    world.done(world.events.contact_created(ann))
    before = world.simulator.leads()
    second = replace(MALLORY, email=ann.email)
    live(world, second, replace(second, email="m@evil.example", name="Mal Ice"))
    assert world.simulator.leads() == before


@pytest.mark.parametrize("in_step", [False, True])
def test_who_is_merged_into_a_customer_renames_no_lead(
    world: Any, ann: Contact, in_step: bool
) -> None:
    """The lead was made for the contact that the merge removed: the survivor is another one."""
    world.settings["follow_found"] = in_step
    world.done(world.events.contact_created(ann))
    survivor = Contact("502", "Mallory Evil")
    world.done(world.events.contact_created(survivor))
    before = world.simulator.leads()
    merged = replace(survivor, email=ann.email, phone=ann.phone)
    live(world, merged, replace(merged, name="Mal Ice"))
    assert world.simulator.leads() == before
    assert "The contact gave another name, not proven: Mal Ice." in world.story


def test_a_customer_into_whom_somebody_is_merged_renames_the_own_lead(
    world: Any, ann: Contact
) -> None:
    world.done(world.events.contact_created(ann))
    world.done(world.events.contact_created(Contact("502", "Mallory Evil")))
    # What was kept back of the visitor comes with the customer's contact.
    world.done(world.events.conversation_created(ann))
    world.done(world.events.contact_updated(replace(ann, name="Ann New"), "name"))
    (lead,) = world.simulator.leads()
    assert lead["LastName"] == "New"


def test_a_creation_that_was_cut_off_claims_no_lead_of_another_contact(
    world: Any, ann: Contact
) -> None:
    world.simulator.add_fault(Fault("drop_before", path="Lead.Create"))
    mallory = replace(ann, id="7", name="Mallory Evil")
    world.deliver(world.events.contact_created(mallory))
    world.done(world.events.contact_created(ann))
    before = world.simulator.leads()
    live(world, mallory, replace(mallory, name="Mal Ice"))
    assert world.simulator.leads() == before


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize(
    "given", [{"email": "m@evil.example"}, {"identifier": "x email:boss@corp.example"}]
)
def test_a_creation_that_was_cut_off_claims_no_lead_that_was_there(
    world: Any, kind: str, given: dict[str, str]
) -> None:
    """Though it has the hub's source, and the contact gives its address after the cut."""
    world.settings["identity_field"] = "mx_Chatwoot_Person"
    world.simulator.add_lead(EmailAddress="boss@corp.example", LastName="Boss", Source="Chatwoot")
    before = world.simulator.leads()
    world.simulator.add_fault(Fault(kind, path="Lead.Create"))
    mallory = Contact("7", "Mallory Evil", **given)
    world.deliver(world.events.contact_created(mallory))
    boss = replace(mallory, email="boss@corp.example")
    live(world, boss, replace(boss, name="Mal Ice"))
    assert world.simulator.leads()[: len(before)] == before


def test_a_link_of_version_1_to_a_found_lead(world: Any) -> None:
    boss = world.simulator.add_lead(EmailAddress="boss@corp.example", LastName="Boss")
    sent = {"FirstName": "Mallory", "LastName": "Evil", "EmailAddress": "boss@corp.example"}
    links = world.context().links
    links.adopt("lead", "1/7", Remote(boss, data={"sent": {**sent, "Mobile": ""}}))
    links.flush()
    before = world.simulator.leads()
    live(world, MALLORY, replace(MALLORY, name="Mal Ice", email="m@evil.example"))
    assert world.simulator.leads() == before


def test_a_lead_that_only_the_creation_meets_is_taken_and_left(world: Any) -> None:
    world.simulator.add_lead(Mobile="+49-15199999999", LastName="Owner")
    world.simulator.add_fault(Fault("garbage", path="RetrieveLeadByPhone", body="[]"))
    before = world.simulator.leads()
    live(world, MALLORY, replace(MALLORY, name="Mal Ice", email="m@evil.example"))
    assert world.simulator.leads() == before


@pytest.mark.parametrize(
    ("values", "search"),
    [({"EmailAddress": "boss@corp.example"}, "GetByEmail"), ({"Mobile": STORED}, "ByPhoneNumber")],
    ids=["email", "phone"],
)
def test_a_lead_made_since_it_was_looked_for_is_left(
    world: Any, values: dict[str, str], search: str
) -> None:
    """The search shows nothing yet; the creation meets the lead."""
    world.simulator.add_lead(LastName="Boss", Source="Fair", **values)
    world.simulator.add_fault(Fault("garbage", path=search, body="[]"))
    before = world.simulator.leads()
    first = replace(MALLORY, phone=NUMBER)
    live(world, first, replace(first, name="Mal Ice", email="m@evil.example"))
    assert world.simulator.leads() == before
    lead, notes = before[0]["ProspectID"], world.simulator.activities()
    assert {row["RelatedProspectId"] for row in notes} == {lead}
    assert "not proven: " in notes[0]["Note"].partition("\n")[0]


def test_a_lead_that_no_search_shows_at_all_is_left(world: Any) -> None:
    world.simulator.add_lead(EmailAddress="boss@corp.example", LastName="Boss")
    for path in ("GetByEmail", "ByPhoneNumber"):
        world.simulator.add_fault(Fault("garbage", path=path, body="[]", times=None))
    before = world.simulator.leads()
    error = world.fails(world.events.contact_created(replace(MALLORY, phone=None)), Duplicate)
    assert "the search does not show it" in error.sentence
    assert world.simulator.leads() == before


def test_a_proven_number_fills_what_is_empty(world: Any) -> None:
    world.simulator.add_lead(EmailAddress="boss@corp.example", LastName="Boss")
    live(world, MALLORY, MALLORY)
    shown = replace(MALLORY, proven=PHONE)
    world.done(world.events.conversation_created(shown, number="43"))
    (lead,) = world.simulator.leads()
    assert (lead["Mobile"], lead["FirstName"]) == ("+49-15199999999", "")
    world.done(world.events.conversation_created(replace(shown, phone=NUMBER), number="44"))
    assert world.simulator.leads() == [lead]


def test_a_proven_number_follows_in_the_hubs_own_lead(world: Any, ann: Contact) -> None:
    world.done(world.events.contact_created(ann))
    moved = replace(ann, phone=OTHER_NUMBER)
    world.done(world.events.contact_updated(moved, "phone_number"))
    assert world.simulator.leads()[0]["Mobile"] == STORED
    world.done(world.events.conversation_created(replace(moved, proven=PHONE)))
    assert world.simulator.leads()[0]["Mobile"] == "+49-15199999999"


def test_a_lead_whose_creation_was_cut_off_stays_the_hubs(world: Any, ann: Contact) -> None:
    world.simulator.add_fault(Fault("drop_after", path="Lead.Create"))
    world.deliver(world.events.contact_created(ann))
    world.done(world.events.contact_created(ann))
    world.done(world.events.contact_updated(replace(ann, name="Ann New"), "name"))
    (lead,) = world.simulator.leads()
    assert lead["LastName"] == "New"


def test_one_that_the_search_shows_late_stays_the_hubs(world: Any, ann: Contact) -> None:
    world.simulator.add_fault(Fault("drop_after", path="Lead.Create"))
    world.deliver(world.events.contact_created(ann))
    for path in ("GetByEmail", "ByPhoneNumber"):
        world.simulator.add_fault(Fault("garbage", path=path, body="[]"))
    world.done(world.events.contact_created(ann))
    world.done(world.events.contact_updated(replace(ann, name="Ann New"), "name"))
    (lead,) = world.simulator.leads()
    assert lead["LastName"] == "New"


def test_one_that_others_made_meanwhile_is_not(world: Any, ann: Contact) -> None:
    world.simulator.add_fault(Fault("drop_before", path="Lead.Create"))
    world.deliver(world.events.contact_created(ann))
    world.simulator.add_lead(EmailAddress=ann.email, LastName="Theirs", Source="Fair")
    before = world.simulator.leads()
    live(world, ann, replace(ann, name="Ann New"))
    assert world.simulator.leads() == before


def test_the_settings_open_more(world: Any, ann: Contact) -> None:
    world.settings |= {"emails_follow": True, "follow_found": True}
    world.simulator.add_lead(EmailAddress=ann.email, LastName="Old")
    live(world, ann, replace(ann, name="Ann New", email="new@example.com", phone=OTHER_NUMBER))
    (lead,) = world.simulator.leads()
    assert (lead["FirstName"], lead["LastName"]) == ("Ann", "New")
    assert (lead["EmailAddress"], lead["Mobile"]) == ("new@example.com", "")
