"""Attachments as documents, and an honest word for each that could not be stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Attachment, Skip
from hub.sdk.testing.simulator import Fault


@pytest.fixture
def files() -> Iterator[str]:
    """A server of files, one of which is a redirect and one missing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/blob/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/blob"))
                self.end_headers()
                return
            size = 3 * 1024 * 1024 if "large" in self.path else 11
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(b"x" * size)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def opened(chatwoot: Any, make_simulated_hub: Any) -> Any:
    """Hands out a hub and the parts of an open conversation."""

    def opening(**settings: Any) -> Any:
        hub = make_simulated_hub(upload_attachments=True, upload_limit_mb=2, **settings)
        parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
        hub.done(chatwoot.event("message.created", message=chatwoot.message(), **parts))
        return hub, parts

    return opening


def with_file(chatwoot: Any, url: str | None, **values: Any) -> Any:
    item = Attachment("file", "9", url, **values)
    return chatwoot.message("See this.", attachments=(item,))


def test_a_file_becomes_a_document_of_the_ticket(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    message = with_file(chatwoot, f"{files}/blob/note.txt", name="note.txt")
    event = chatwoot.event("message.created", message=message, **parts)
    hub.done(event)
    (document,) = simulator.rows("Document")
    (item,) = simulator.rows("Document_Item")
    assert (item["itemtype"], item["items_id"]) == ("Ticket", simulator.tickets()[0]["id"])
    (followup,) = simulator.followups()
    assert f"(stored as document {document['id']})" in followup["content"]
    assert f'href="{files}/blob/note.txt"' in followup["content"]
    hub.done(event)
    assert len(simulator.rows("Document")) == 1
    delivered = chatwoot.event("message.updated", message=message, **parts)
    assert isinstance(hub.refused(delivered), Skip)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("path", "values", "settings", "note"),
    [
        ("missing.txt", {}, {}, "not stored: HTTP 404"),
        ("large.txt", {"size": 3 * 2**20}, {}, "not stored: larger than 2 MB"),
        ("large.txt", {}, {}, "not stored: "),
        ("note.txt", {}, {"upload_types": "pdf, .PNG"}, "files of this type are left out"),
        ("virus.exe", {}, {}, "GLPI refused it: Filetype not allowed"),
    ],
)
def test_what_is_not_stored_is_said(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str, path: str, values: Any,
    settings: Any, note: str,
) -> None:  # fmt: skip
    hub, parts = opened(**settings)
    message = with_file(chatwoot, f"{files}/{path}", name=path, **values)
    hub.done(chatwoot.event("message.created", message=message, **parts))
    (followup,) = simulator.followups()
    assert note in followup["content"]
    assert f"{files}/{path}" in followup["content"]
    assert simulator.rows("Document") == []


def test_a_file_that_cannot_be_reached_does_not_hold_up_the_message(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any
) -> None:
    hub, parts = opened()
    message = with_file(chatwoot, "http://127.0.0.1:9/x.txt", name="x.txt")
    hub.done(chatwoot.event("message.created", message=message, **parts))
    assert "not stored: " in simulator.followups()[0]["content"]


def test_a_ticket_that_takes_no_documents(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    body = '["ERROR_GLPI_ADD", "Closed."]'
    simulator.add_fault(
        Fault("status", path="Document", status=400, body=body, content_type="application/json")
    )
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    hub.done(chatwoot.event("message.created", message=message, **parts))
    assert "GLPI refused it: Closed" in simulator.followups()[0]["content"]


def test_an_upload_whose_answer_is_lost_is_found_again(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    simulator.add_fault(Fault("drop_after", path="Document"))
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    event = chatwoot.event("message.created", message=message, **parts)
    hub.refused(event)
    hub.done(event)
    assert len(simulator.rows("Document")) == 1


def test_an_upload_that_never_arrived_is_made_again(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    simulator.add_fault(Fault("drop_before", path="Document"))
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    event = chatwoot.event("message.created", message=message, **parts)
    hub.refused(event)
    hub.done(event)
    assert len(simulator.rows("Document")) == 1


def test_files_of_the_first_message(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, files: str
) -> None:
    hub = make_simulated_hub(upload_attachments=True)
    parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    event = chatwoot.event("message.created", message=message, **parts)
    hub.done(event)
    (ticket,) = simulator.tickets()
    (document,) = simulator.rows("Document")
    assert f"(stored as document {document['id']})" in ticket["content"]
    assert simulator.followups() == []
    hub.done(event)
    assert len(simulator.rows("Document")) == 1
    # Heard again with the inbox's name, which only messages tell, nothing is to be written.
    parts["conversation"] = replace(parts["conversation"], inbox_name="Web")
    delivered = chatwoot.event("message.updated", message=message, **parts)
    assert isinstance(hub.refused(delivered), Skip)
    assert hub.requests == []


def test_a_type_is_known_by_its_content_type_when_the_name_has_no_ending(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    item = Attachment("image", "9", f"{files}/abc", content_type="image/png; q=1")
    message = chatwoot.message("", attachments=(item,))
    hub.done(chatwoot.event("message.created", message=message, **parts))
    (document,) = simulator.rows("Document")
    assert document["filename"] == "abc.png"


def test_places_and_files_without_address_are_only_named(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any
) -> None:
    hub, parts = opened()
    place = Attachment("location", "1", "https://maps.example/", latitude=1.0, longitude=2.0)
    message = chatwoot.message("", attachments=(place, Attachment("fallback", "2", title="Card")))
    hub.done(chatwoot.event("message.created", message=replace(message), **parts))
    assert simulator.rows("Document") == []
    assert "Card" in simulator.followups()[0]["content"]
