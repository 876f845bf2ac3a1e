"""What becomes of people in GLPI when their contacts change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import sentences
from hub_glpi.simulator import GlpiSimulator

from hub.sdk.testing.simulator import Fault
from plugins.glpi.tests.support import JSON


class TestContacts:
    def test_a_creation_that_comes_late_only_adds(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        simulated_hub.done(chatwoot.event("conversation.created", **parts))
        older = replace(parts["contact"], name="Old Name", phone="+34612345678")
        older = replace(older, proven=frozenset({"phone"}))
        simulated_hub.done(chatwoot.event("contact.created", contact=older))
        user = simulator.users()[-1]
        assert (user["realname"], user["phone"]) == ("Lee", "+34 612 34 56 78")

    def test_what_is_removed(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any
    ) -> None:
        """Stays, since nobody proves that it was wrong."""
        contact = chatwoot.contact(phone="+34612345678")
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        less = replace(contact, name="", email=None, phone=None)
        simulated_hub.done(chatwoot.event("contact.updated", contact=less, version=2))
        user = simulator.users()[-1]
        assert (user["realname"], user["phone"]) == ("Lee", "+34 612 34 56 78")
        assert user["_emails"] == [contact.email]

    def test_an_update_may_be_the_first(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        event = chatwoot.event("contact.updated", contact=parts["contact"], version=7)
        assert simulated_hub.done(event).sentence.endswith("created.")
        older = replace(parts["contact"], name="Old Name")
        skip = simulated_hub.refused(chatwoot.event("contact.updated", contact=older, version=6))
        assert skip.sentence == sentences.OLDER

    def test_noise_still_moves_the_version(
        self, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        contact = parts["contact"]
        simulated_hub.done(chatwoot.event("contact.created", contact=contact))
        simulated_hub.refused(chatwoot.event("contact.updated", contact=contact, version=9))
        older = replace(contact, name="Old Name")
        skip = simulated_hub.refused(chatwoot.event("contact.updated", contact=older, version=8))
        assert skip.sentence == sentences.OLDER

    def test_a_refusal_while_completing_is_no_reason_to_stop(
        self, simulator: GlpiSimulator, chatwoot: Any, simulated_hub: Any, parts: Any
    ) -> None:
        simulated_hub.done(chatwoot.event("contact.created", contact=parts["contact"]))
        simulator.add_fault(
            Fault("status", method="PUT", path="User", status=400,
                  body='["ERROR_GLPI_UPDATE", "No."]', content_type=JSON)
        )  # fmt: skip
        again = replace(parts["contact"], id="18", phone="+34612345678")
        again = replace(again, proven=frozenset({"phone"}))
        simulated_hub.done(chatwoot.event("contact.created", contact=again))
        assert "GLPI refused the change: No." in simulated_hub.last.story

    @pytest.mark.parametrize("use_contact", [True, False])
    def test_a_remark_on_a_change_is_told(
        self, simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, parts: Any,
        use_contact: bool,
    ) -> None:  # fmt: skip
        hub = make_simulated_hub(use_contact=use_contact)
        hub.done(chatwoot.event("contact.created", contact=parts["contact"]))
        simulator.add_fault(
            Fault("status", method="PUT", status=200, body='[{"7": true, "message": "Hm."}]',
                  content_type=JSON)
        )  # fmt: skip
        renamed = replace(parts["contact"], name="Ann Li")
        hub.done(chatwoot.event("contact.updated", contact=renamed, version=2))
        assert hub.last.story == ["Hm."]


@pytest.mark.parametrize("use_contact", [False, True])
@pytest.mark.parametrize("name", ["Müller, Jürgen", "+49 1570 2948837"])
def test_a_name_that_stands_is_written_only_when_it_changes(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, use_contact: bool, name: str
) -> None:
    """As version 1 of this plugin wrote it, which knew no turned names and took any for one."""
    hub = make_simulated_hub(use_contact=use_contact)
    contact = chatwoot.contact(name)
    hub.done(chatwoot.event("contact.created", contact=contact))
    first, last = name.split(" ", 1)
    written = {"firstname": first, "name" if use_contact else "realname": last}
    table = simulator.database["Contact" if use_contact else "User"]
    row = max(table.rows.values(), key=lambda row: row["id"])
    table.update(row, written)
    for key, link in hub.store.links.links.items():
        hub.store.links.links[key] = replace(link, data={"sent": {**link.data["sent"], **written}})
    moved = replace(contact, phone="+34612345678", proven=frozenset({"phone"}))
    hub.done(chatwoot.event("contact.updated", contact=moved, version=2))
    assert {key: row[key] for key in written} == written
    assert row["phone"] == "+34 612 34 56 78"
    hub.done(chatwoot.event("contact.updated", contact=replace(moved, name="Ann Lee"), version=3))
    assert list({key: row[key] for key in written}.values()) == ["Ann", "Lee"]
