"""A message that was deleted in Chatwoot loses its text and its files in GLPI."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Attachment, Rejected, RetryLater, Skip
from hub.sdk.testing.simulator import Fault


class Talk:
    """A conversation whose ticket stands, and a message with a file: a followup, or its text."""

    def __init__(self, chatwoot: Any, hub: Any, files: str, *, as_text: bool = False) -> None:
        self.chatwoot, self.hub = chatwoot, hub
        self.parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        if not as_text:
            hub.done(chatwoot.event("message.created", message=chatwoot.message(), **self.parts))
        file = Attachment("file", "9", f"{files}/pass.txt", name="pass.txt")
        self.message = chatwoot.message("secret file", attachments=(file,))
        self.created = self.event("message.created", self.message)
        # As recorded: without its text, and without its files.
        gone = replace(self.message, text="", deleted=True, attachments=())
        self.deleted = self.event("message.updated", gone)

    def event(self, name: str, message: Any) -> Any:
        return self.chatwoot.event(name, message=message, **self.parts)


@pytest.fixture
def talk(chatwoot: Any, make_simulated_hub: Any, files: str) -> Any:
    def begin(*, as_text: bool = False, **settings: Any) -> Talk:
        return Talk(chatwoot, make_simulated_hub(**settings), files, as_text=as_text)

    return begin


def said(simulator: GlpiSimulator) -> str:
    rows = [*simulator.tickets(), *simulator.followups()]
    return " ".join(row["content"] for row in rows)


@pytest.mark.parametrize("as_text", [False, True])
def test_text_and_file_go(simulator: GlpiSimulator, talk: Any, as_text: bool) -> None:
    it = talk(as_text=as_text)
    it.hub.done(it.created)
    assert [row["filename"] for row in simulator.rows("Document")] == ["pass.txt"]
    it.hub.done(it.deleted)
    assert "secret" not in said(simulator)
    assert "This message was deleted." in said(simulator)
    assert simulator.rows("Document") == simulator.rows("Document_Item") == []
    assert "Document 1 deleted." in it.hub.last.story
    assert isinstance(it.hub.refused(it.deleted), Skip)
    assert it.hub.requests == []


@pytest.mark.parametrize("as_text", [False, True])
def test_a_document_that_stands_elsewhere_too_loses_only_this_link(
    simulator: GlpiSimulator, talk: Any, as_text: bool
) -> None:
    it = talk(as_text=as_text)
    it.hub.done(it.created)
    other = simulator.database["Ticket"].insert({"name": "other"})
    (document,) = simulator.rows("Document")
    link = {"documents_id": document["id"], "itemtype": "Ticket", "items_id": other["id"]}
    simulator.database["Document_Item"].insert({**link, "entities_id": 0})
    it.hub.done(it.deleted)
    assert [row["filename"] for row in simulator.rows("Document")] == ["pass.txt"]
    assert [row["items_id"] for row in simulator.rows("Document_Item")] == [other["id"]]


def test_kept_by_setting(simulator: GlpiSimulator, talk: Any) -> None:
    it = talk(keep_deleted=True)
    it.hub.done(it.created)
    skip = it.hub.refused(it.deleted)
    assert isinstance(skip, Skip)
    assert "the settings keep it" in skip.sentence
    assert "secret file" in said(simulator)
    assert len(simulator.rows("Document")) == 1


def test_files_that_an_earlier_version_stored_at_the_ticket(
    simulator: GlpiSimulator, talk: Any
) -> None:
    it = talk()
    it.hub.done(it.created)
    (row,) = simulator.rows("Document_Item")
    table = simulator.database["Document_Item"]
    table.update(table.rows[row["id"]], {"itemtype": "Ticket", "items_id": 1})
    stored = it.hub.store.links.links
    for key, link in stored.items():
        if link.kind == "document":
            stored[key] = replace(link, data={})
        elif link.kind == "followup":
            stored[key] = replace(link, data={"body": "x", "notes": {"9": "stored as document 1"}})
    it.hub.done(it.deleted)
    assert simulator.rows("Document") == []


@pytest.mark.parametrize("path", ["ITILFollowup", "Document"])
def test_a_cut_off_deletion_goes_on(simulator: GlpiSimulator, talk: Any, path: str) -> None:
    it = talk()
    it.hub.done(it.created)
    simulator.add_fault(Fault("drop_after", path=path))
    assert isinstance(it.hub.refused(it.deleted), RetryLater)
    it.hub.deliver(it.deleted)
    assert "secret" not in said(simulator)
    assert simulator.rows("Document") == simulator.rows("Document_Item") == []


def test_a_file_whose_upload_was_never_heard_of_again(simulator: GlpiSimulator, talk: Any) -> None:
    """It is there, but no link tells of it: the delivery that made it was given up."""
    it = talk()
    simulator.add_fault(Fault("drop_after", path="Document"))
    assert isinstance(it.hub.refused(it.created), RetryLater)
    assert len(simulator.rows("Document")) == 1
    it.hub.done(it.deleted)
    assert simulator.rows("Document") == []


def test_files_go_also_where_the_followup_was_deleted_in_glpi(
    simulator: GlpiSimulator, talk: Any
) -> None:
    it = talk()
    it.hub.done(it.created)
    followups = simulator.database["ITILFollowup"]
    followups.remove(followups.rows[1])
    assert "was deleted in GLPI" in it.hub.refused(it.deleted).sentence
    assert simulator.rows("Document") == []


def test_a_right_that_is_missing_is_named(simulator: GlpiSimulator, talk: Any) -> None:
    it = talk()
    it.hub.done(it.created)
    simulator.database["Profile"].columns["document"] = None
    simulator.database["Profile"].rows[4]["document"] = 7
    body = '["ERROR_GLPI_DELETE", "You don\'t have permission"]'
    simulator.add_fault(
        Fault(
            "status", path="Document", method="DELETE", status=400, body=body,
            content_type="application/json",
        )
    )  # fmt: skip
    error = it.hub.refused(it.deleted)
    assert isinstance(error, Rejected)
    assert "lacks the right to delete documents permanently" in error.sentence
    assert "secret" not in said(simulator)
    # With the right, the delivery is replayed.
    it.hub.deliver(it.deleted)
    assert simulator.rows("Document") == []


def test_a_private_note_goes_also_when_notes_were_switched_off_since(
    simulator: GlpiSimulator, talk: Any
) -> None:
    it = talk()
    note = it.chatwoot.reply("secret note", private=True)
    it.hub.done(it.event("message.created", note))
    it.hub.settings["sync_private_notes"] = False
    it.hub.done(it.event("message.updated", replace(note, text="", deleted=True)))
    assert "secret" not in said(simulator)


def test_what_never_reached_glpi(simulator: GlpiSimulator, talk: Any) -> None:
    it = talk()
    assert "before it reached GLPI" in it.hub.refused(it.deleted).sentence
    assert it.hub.requests == []
