"""Contacts and leads: finding, making, changing, and the ways in which LeadSquared says no."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from hub.sdk import Contact, Done, Rejected, Skip
from hub.sdk.testing.simulator import Fault


def only(world: Any) -> dict[str, str]:
    (lead,) = world.simulator.leads()
    return lead


class TestIdentity:
    @pytest.mark.parametrize(
        "contact",
        [
            Contact(id="1", name="billowing-night-17"),
            Contact(id="1", name="Ann", email="not an email", phone="12"),
            Contact(id="1", additional_attributes={"social_profiles": {"instagram": "ann"}}),
        ],
    )
    def test_who_cannot_be_recognised_gets_no_lead(self, world: Any, contact: Contact) -> None:
        done = world.done(world.events.contact_created(contact))
        assert done.sentence == "No lead yet: the contact has neither an email nor a phone number."
        assert world.calls == []

    def test_an_event_without_contact_is_skipped(self, world: Any) -> None:
        world.fails(world.events.conversation_created(None), Skip)
        assert world.calls == []

    def test_an_email_alone_is_looked_for_once(self, world: Any) -> None:
        world.done(world.events.contact_created(Contact(id="1", email="a@b.example")))
        assert world.calls == ["Leads.GetByEmailaddress", "Lead.Create"]

    def test_a_lead_without_a_name_is_told_by_its_number(self, world: Any) -> None:
        done = world.done(world.events.contact_created(Contact(id="1", phone="+4915112345678")))
        assert done.sentence == "Lead +49-15112345678 created."

    def test_two_contacts_of_one_person_share_a_lead(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        world.done(world.events.contact_created(replace(ann, id="502", phone=None)))
        assert len(world.simulator.leads()) == 1

    def test_two_workers_at_once_make_one_lead(self, world: Any, ann: Contact) -> None:
        world.simulator.service_time = 0.02
        events = [
            world.events.contact_created(replace(ann, id=str(number), phone=phone))
            for number, phone in enumerate([ann.phone, None, ann.phone, None])
        ]
        contexts = [world.context() for _ in events]
        with ThreadPoolExecutor() as workers:
            outcomes = list(workers.map(lambda c, e: c.deliver(e), contexts, events))
        assert {type(outcome) for outcome in outcomes} == {Done}
        assert len(world.simulator.leads()) == 1
        assert len(world.simulator.requests("POST", "Lead.Create")) == 1

    def test_both_keys_are_held_while_a_lead_is_looked_for(self, world: Any) -> None:
        keys: list[str] = []
        context = world.context()
        hold = context.identity
        context.identity = lambda *names: keys.extend(names) or hold(*names)
        context.deliver(world.events.contact_created())
        assert keys == ["email:ann@example.com", "phone:4915112345678"]


class TestFinding:
    def test_a_lead_is_found_by_email_whatever_its_case(self, world: Any) -> None:
        world.simulator.add_lead(EmailAddress="Ann@Example.com", Source="Fair", FirstName="Anna")
        done = world.done(world.events.contact_created())
        assert done.sentence == "Lead Anna found by email."
        lead = only(world)
        assert (lead["FirstName"], lead["LastName"]) == ("Anna", "")
        assert (lead["Mobile"], lead["Source"]) == ("", "Fair")

    def test_what_was_completed_is_not_written_again(self, world: Any) -> None:
        world.simulator.add_lead(EmailAddress="ann@example.com")
        world.done(world.events.contact_created())
        world.fails(world.events.contact_updated(), Skip)
        assert world.calls == []

    def test_a_complete_lead_is_left_alone(self, world: Any) -> None:
        world.simulator.add_lead(
            EmailAddress="ann@example.com", FirstName="Ann", LastName="L.", Phone="+49-15112345678"
        )
        before = only(world)
        done = world.done(world.events.contact_created())
        assert done.sentence == "Lead Ann L. found by email."
        assert only(world) == before
        assert world.calls == ["Leads.GetByEmailaddress"]

    @pytest.mark.parametrize("stored", ["+49-15112345678", "004915112345678", "0151 12345678"])
    def test_a_lead_is_found_by_phone_however_it_is_written(self, world: Any, stored: str) -> None:
        world.region = "DE"
        world.simulator.add_lead(Phone="+49-15112345678", FirstName="Ann")
        # What a person typed later is not normalised by LeadSquared either.
        world.simulator._leads.rows[only(world)["ProspectID"]]["Mobile"] = stored
        contact = Contact(id="1", name="Ann", phone="+49 151 1234 5678")
        assert "found by phone" in world.done(world.events.contact_created(contact)).sentence

    def test_what_a_search_shows_is_compared(self, world: Any, ann: Contact) -> None:
        stranger = world.simulator.add_lead(EmailAddress="stranger@example.com", FirstName="Eve")
        row = '[{"ProspectID": "%s", "EmailAddress": "stranger@example.com", "Phone": "1234567"}]'
        for path in ("GetByEmailaddress", "RetrieveLeadByPhone"):
            world.simulator.add_fault(
                Fault("garbage", path=path, body=row % stranger, content_type="application/json")
            )
        world.done(world.events.contact_created(ann))
        assert len(world.simulator.leads()) == 2
        assert world.simulator.lead(stranger)["FirstName"] == "Eve"

    def test_a_lead_found_by_phone_keeps_its_other_email(self, world: Any) -> None:
        world.simulator.add_lead(EmailAddress="office@example.com", Mobile="+49-15112345678")
        world.done(world.events.contact_created())
        assert only(world)["EmailAddress"] == "office@example.com"
        assert (
            "The lead with this phone number has another email, and keeps it." in world.last.story
        )

    def test_of_several_the_likelier_is_taken_and_it_is_said(self, world: Any) -> None:
        simulator = world.simulator
        simulator._leads.unique = frozenset()
        first = simulator.add_lead(EmailAddress="ann@example.com", FirstName="One")
        simulator.add_lead(EmailAddress="ann@example.com", FirstName="Two")
        world.done(world.events.contact_created())
        assert world.last.story[:1] == [
            f"2 leads in LeadSquared fit; the first, {first}, was taken."
        ]

    def test_a_lead_that_cannot_be_completed_is_used_all_the_same(
        self, world: Any, ann: Contact
    ) -> None:
        world.simulator.add_lead(EmailAddress="ann@example.com", FirstName="Ann")
        world.simulator.add_lead(EmailAddress="bo@example.com", Mobile="+49-15112345678")
        proven = replace(ann, proven=frozenset({"phone"}))
        assert "found by email." in world.done(world.events.contact_created(proven)).sentence
        assert any("could not be completed" in line for line in world.last.story)

    def test_a_name_that_just_changed_replaces_the_leads_if_wanted(self, world: Any) -> None:
        world.settings["follow_found"] = True
        world.simulator.add_lead(EmailAddress="ann@example.com", FirstName="Anna", LastName="Old")
        world.done(
            world.events.contact_updated(
                Contact(id="1", name="Ann New", email="ann@example.com"), "name"
            )
        )
        assert (only(world)["FirstName"], only(world)["LastName"]) == ("Ann", "New")


class TestDuplicates:
    def test_the_phone_is_taken_by_a_lead_that_no_search_shows(self, world: Any) -> None:
        """As where permissions hide the lead."""
        world.simulator.add_lead(Phone="+49-15112345678", Source="Fair")
        world.simulator.add_fault(Fault("garbage", path="RetrieveLeadByPhone", body="[]", times=2))
        world.done(world.events.contact_created())
        lead = only(world)
        assert (lead["EmailAddress"], lead["FirstName"], lead["Source"]) == ("", "", "Fair")
        assert world.calls == [
            "Leads.GetByEmailaddress",
            "RetrieveLeadByPhoneNumber",
            "Lead.Create",
            "Leads.GetByEmailaddress",
            "RetrieveLeadByPhoneNumber",
            "Lead.CreateOrUpdate",
        ]
        (taken,) = world.simulator.requests("POST", "CreateOrUpdate")
        assert taken.text == (
            '[{"Attribute": "Mobile", "Value": "+49-15112345678"}, '
            '{"Attribute": "SearchBy", "Value": "Phone"}]'
        )

    def test_without_a_phone_a_duplicate_is_final(self, world: Any) -> None:
        answer = (
            '{"Status":"Error","ExceptionType":"MXDuplicateEntryException",'
            '"ExceptionMessage":"taken"}'
        )
        world.simulator.add_fault(Fault("garbage", path="Lead.Create", body=answer))
        outcome = world.deliver(world.events.contact_created(Contact(id="1", email="a@b.example")))
        assert isinstance(outcome, Rejected)
        assert len(world.simulator.requests("POST", "Lead.Create")) == 1

    def test_an_email_of_another_lead_is_left_there(self, world: Any, ann: Contact) -> None:
        world.settings["emails_follow"] = True
        world.done(world.events.contact_created(ann))
        world.simulator.add_lead(EmailAddress="taken@example.com")
        changed = replace(ann, name="Ann L", email="taken@example.com")
        done = world.done(world.events.contact_updated(changed, "name", "email"))
        assert done.sentence == "Lead Ann L updated: LastName."
        first, _ = world.simulator.leads()
        assert (first["LastName"], first["EmailAddress"]) == ("L", "ann@example.com")
        world.fails(world.events.contact_updated(changed, "email"), Skip)
        assert world.calls == ["Lead.Update"]


class TestUpdates:
    def test_a_removed_email_is_emptied_if_wanted(self, world: Any, ann: Contact) -> None:
        world.settings["emails_follow"] = True
        world.done(world.events.contact_created(ann))
        world.done(world.events.contact_updated(replace(ann, email=None, name=""), "email"))
        lead = only(world)
        assert (lead["EmailAddress"], lead["FirstName"]) == ("", "Ann")
        assert lead["Mobile"] == "+49-15112345678"

    def test_what_is_removed_stays(self, world: Any, ann: Contact) -> None:
        """Nobody proves that it was wrong."""
        world.done(world.events.contact_created(ann))
        less = replace(ann, email=None, phone=None)
        world.done(world.events.contact_updated(less, "phone_number", "email"))
        lead = only(world)
        assert (lead["EmailAddress"], lead["Mobile"]) == (ann.email, "+49-15112345678")

    def test_the_source_is_never_sent_again(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        lead_id = only(world)["ProspectID"]
        world.simulator._leads.rows[lead_id]["Source"] = "Fair"
        world.done(world.events.contact_updated(replace(ann, name="Ann Lee"), "name"))
        assert only(world)["Source"] == "Fair"

    def test_an_older_state_never_overwrites_a_newer_one(self, world: Any, ann: Contact) -> None:
        newer, older = replace(ann, name="Ann New"), replace(ann, name="Ann Old")
        world.done(world.events.contact_created(ann))
        world.done(world.events.contact_updated(newer, "name", version=2_000))
        world.fails(world.events.contact_updated(older, "name", version=1_000), Skip)
        assert only(world)["LastName"] == "New"

    def test_a_creation_that_comes_late_only_adds(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_updated(replace(ann, name="Ann New", phone=None)))
        old = replace(ann, name="Ann Old", proven=frozenset({"phone"}))
        world.done(world.events.contact_created(old))
        assert (only(world)["LastName"], only(world)["Mobile"]) == ("New", "+49-15112345678")

    def test_the_version_is_kept_when_nothing_is_written(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        world.fails(world.events.contact_updated(ann, version=5_000), Skip)
        older = world.events.contact_updated(replace(ann, name="Old"), "name", version=4_000)
        assert world.fails(older, Skip).sentence == "A newer state is in LeadSquared already."

    def test_automations_run_only_if_wanted(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        world.done(world.events.contact_updated(replace(ann, name="B"), "name"))
        world.settings["run_automations"] = True
        world.done(world.events.contact_updated(replace(ann, name="C"), "name"))
        first, second = world.simulator.requests("POST", "Lead.Update")
        assert "postUpdatedLead" not in first.query
        assert "postUpdatedLead=true" in second.query

    def test_the_phone_goes_into_the_chosen_field(self, world: Any) -> None:
        world.settings["phone_field"] = "Phone"
        world.done(world.events.contact_created())
        assert (only(world)["Phone"], only(world)["Mobile"]) == ("+49-15112345678", "")

    @pytest.mark.parametrize(("region", "stored"), [(None, "+91-"), ("GB", "+44-")])
    def test_a_number_without_country_code_is_of_the_account(
        self, world: Any, region: str | None, stored: str
    ) -> None:
        world.region = region
        world.done(world.events.contact_created(Contact(id="1", phone="7400 123456")))
        assert only(world)["Mobile"] == f"{stored}7400123456"

    def test_a_conversations_version_is_not_the_contacts(self, world: Any, ann: Contact) -> None:
        world.done(world.events.conversation_created(ann, version=9_000))
        changed = replace(ann, name="Ann New")
        world.done(world.events.contact_updated(changed, "name", version=1_000))
        assert only(world)["LastName"] == "New"


class TestLeadsThatDie:
    def test_an_update_makes_the_lead_anew(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        world.simulator.delete_lead(only(world)["ProspectID"])
        done = world.done(world.events.contact_updated(replace(ann, name="Ann Lee"), "name"))
        assert done.sentence == "Lead Ann Lee created."
        assert only(world)["EmailAddress"] == "ann@example.com"

    def test_a_lead_that_was_merged_is_found_again(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        world.simulator.delete_lead(only(world)["ProspectID"])
        survivor = world.simulator.add_lead(EmailAddress="ann@example.com", FirstName="Ann")
        done = world.done(world.events.conversation_created())
        assert survivor in done.url
        assert world.simulator.activities()[0]["RelatedProspectId"] == survivor
        assert only(world)["ProspectID"] == survivor

    def test_affected_rows_zero_means_gone_too(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        none = '{"Status":"Success","Message":{"AffectedRows":0}}'
        world.simulator.add_fault(Fault("garbage", path="Lead.Update", body=none))
        done = world.done(world.events.contact_updated(replace(ann, name="Ann Lee"), "name"))
        # LeadSquared does have it after all: found, and the changed name written.
        assert done.sentence == "Lead Ann Lindqvist found by email and completed."
        assert only(world)["LastName"] == "Lee"

    def test_it_is_tried_again_only_once(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        gone = '{"Status":"Error","ExceptionType":"MXInvalidEntityReferenceException"}'
        world.simulator.add_fault(Fault("garbage", path="Create$", body=gone, times=None))
        world.simulator.clear_requests()
        outcome = world.deliver(world.events.conversation_created())
        assert "no longer knows the activity type" in outcome.sentence
        assert len(world.simulator.requests("POST", "ProspectActivity.svc/Create$")) == 2

    def test_a_lead_that_dies_between_two_tries_is_replaced(self, world: Any, ann: Contact) -> None:
        world.done(world.events.contact_created(ann))
        event = world.events.conversation_created()
        world.simulator.add_fault(Fault("drop_after", path="ProspectActivity.svc/Create"))
        world.deliver(event)
        world.simulator.delete_lead(only(world)["ProspectID"])
        world.done(event)
        (activity,) = world.simulator.activities()
        assert activity["RelatedProspectId"] == only(world)["ProspectID"]
