"""Attachments as documents, and an honest word for each that could not be stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hub_glpi import plugin
from hub_glpi.mappers.file_name import file_name
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import Attachment, Skip
from hub.sdk.settings import completed
from hub.sdk.testing.simulator import Fault


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


def test_a_file_becomes_a_document_of_its_followup(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    message = with_file(chatwoot, f"{files}/blob/note.txt", name="note.txt")
    event = chatwoot.event("message.created", message=message, **parts)
    hub.done(event)
    (followup,) = simulator.followups()
    assert simulator.documents_of("ITILFollowup", followup["id"]) == ["note.txt"]
    assert simulator.documents_of("Ticket", simulator.tickets()[0]["id"]) == []
    # GLPI shows the file itself, so the text does not.
    assert "note.txt" not in followup["content"]
    assert "<a " not in followup["content"]
    assert "File note.txt stored as document 1." in hub.last.story
    hub.done(event)
    assert hub.requests == []
    delivered = chatwoot.event("message.updated", message=message, **parts)
    assert isinstance(hub.refused(delivered), Skip)
    assert hub.requests == []


def test_a_picture_pasted_into_a_mail_becomes_a_document(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    picture = Attachment("image", "inline-1", f"{files}/fehler.png", "fehler.png")
    mail = chatwoot.message("Look: ", attachments=(picture,), content_type="incoming_email")
    hub.done(chatwoot.event("message.created", message=mail, **parts))
    (followup,) = simulator.followups()
    assert simulator.documents_of("ITILFollowup", followup["id"]) == ["fehler.png"]
    assert hub.refused(chatwoot.event("message.updated", message=mail, **parts))
    assert hub.requests == []


@pytest.mark.parametrize(
    ("missing", "language", "words"),
    [
        (1, "en", "A file of this mail is only in the mailbox."),
        (2, "en", "2 files of this mail are only in the mailbox."),
        (1, "fr", "Un fichier de ce courriel ne se trouve que dans la boîte aux lettres."),
        (2, "es", "2 archivos de este correo están solo en el buzón."),
        (2, "pt_BR", "2 arquivos deste e-mail estão somente na caixa de correio."),
    ],
)
def test_files_that_the_source_does_not_tell_are_named(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, missing: int, language: str, words: str
) -> None:
    hub, parts = opened(language=language)
    mail = chatwoot.message("See.", missing_files=missing)
    hub.done(chatwoot.event("message.created", message=mail, **parts))
    (followup,) = simulator.followups()
    assert followup["content"].endswith(f"<p>See.</p><p><em>{words}</em></p>")
    assert hub.refused(chatwoot.event("message.updated", message=mail, **parts))
    only = chatwoot.message("", missing_files=missing)
    hub.done(chatwoot.event("message.created", message=only, **parts))
    assert words in simulator.followups()[-1]["content"]


def test_messages_of_files_alone_say_what_they_are(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    items = [
        Attachment(kind, str(number), f"{files}/{number}.png")
        for number, kind in enumerate(("image", "image", "file"), start=1)
    ]
    batch = [
        chatwoot.event(
            "message.created", message=chatwoot.message("", attachments=(item,)), **parts
        )
        for item in items
    ]
    both = chatwoot.message("", attachments=(replace(items[0], id="7"), replace(items[1], id="8")))
    batch.append(chatwoot.event("message.created", message=both, **parts))
    hub.done(*batch)
    texts = [followup["content"].rpartition("<p>")[2] for followup in simulator.followups()]
    assert texts == ["Picture</p>", "Picture</p>", "File</p>", "Picture (2)</p>"]
    shown = [simulator.documents_of("ITILFollowup", row["id"]) for row in simulator.followups()]
    assert shown == [["1.png"], ["2.png"], ["3.png"], ["1.png", "2.png"]]


def test_one_of_two_files_is_refused(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    pair = (
        Attachment("file", "1", f"{files}/virus.exe", name="virus.exe"),
        Attachment("file", "2", f"{files}/note.txt", name="note.txt"),
    )
    message = chatwoot.message("Two.", attachments=pair)
    event = chatwoot.event("message.created", message=message, **parts)
    hub.done(event)
    (followup,) = simulator.followups()
    assert simulator.documents_of("ITILFollowup", followup["id"]) == ["note.txt"]
    assert f'<a href="{files}/virus.exe">virus.exe</a> (GLPI refused it' in followup["content"]
    assert "note.txt" not in followup["content"]
    hub.done(event)
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
    assert simulator.documents_of("Ticket", ticket["id"]) == ["a.txt"]
    assert "a.txt" not in ticket["content"]
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


def test_a_file_that_comes_later(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str
) -> None:
    hub, parts = opened()
    call = chatwoot.message("Call.")
    hub.done(chatwoot.event("message.created", message=call, **parts))
    recorded = replace(call, attachments=(Attachment("audio", "9", f"{files}/call.mp3"),))
    hub.done(chatwoot.event("message.updated", message=recorded, **parts))
    (followup,) = simulator.followups()
    assert simulator.documents_of("ITILFollowup", followup["id"]) == ["call.mp3"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, "<html>too large</html>", "text/html"),
        (403, "<html>a firewall</html>", "text/html"),
        (400, '["ERROR_GLPI_ADD", "File a.txt not found."]', "application/json"),
        (400, '["ERROR_BAD_ARRAY", "input parameter must be an array"]', "application/json"),
    ],
)
def test_an_upload_that_is_refused_gets_its_link(
    simulator: GlpiSimulator, chatwoot: Any, opened: Any, files: str, status: int, body: str,
    kind: str,
) -> None:  # fmt: skip
    """By a web server in front, by GLPI 11, by a PHP that dropped the body."""
    hub, parts = opened()
    simulator.add_fault(
        Fault("status", path="Document", status=status, body=body, content_type=kind)
    )
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    hub.done(chatwoot.event("message.created", message=message, **parts))
    assert (
        f'<a href="{files}/a.txt">a.txt</a> (GLPI refused it: '
        in simulator.followups()[0]["content"]
    )


def test_without_the_right_files_stay_links(
    simulator: GlpiSimulator, chatwoot: Any, make_simulated_hub: Any, files: str
) -> None:
    simulator.database["Profile"].columns["document"] = None
    simulator.database["Profile"].rows[4]["document"] = 1
    hub = make_simulated_hub()
    assert "Files stay links to Chatwoot: the GLPI profile Super-Admin" in str(hub.last.titles)
    parts = {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}
    message = with_file(chatwoot, f"{files}/a.txt", name="a.txt")
    hub.done(chatwoot.event("message.created", message=message, **parts))
    assert f'href="{files}/a.txt"' in simulator.tickets()[0]["content"]
    assert simulator.rows("Document") == []


def test_stored_connections_upload_as_before() -> None:
    settings = plugin.settings()
    assert settings.load({"api_url": "https://a.example", "user_token": "x"})["upload_attachments"]
    stored = completed(plugin.settings, {"api_url": "https://a.example", "user_token": "x"})
    assert stored["upload_attachments"] is False
    assert stored["keep_deleted"] is False


class TestFileNames:
    @pytest.mark.parametrize(
        ("name", "content_type", "disposition", "stored"),
        [
            ("a.PDF", "", "", "a.PDF"),
            ("media2", "image/jpeg", "", "media2.jpg"),
            ("Invoice v1.2", "application/pdf", "", "Invoice v1.2.pdf"),
            ("noending", "application/octet-stream", "", "noending"),
            ("noending", "", 'attachment; filename="x.docx"', "noending.docx"),
            (
                "blob",
                "application/octet-stream",
                "inline; filename*=utf-8''Z%C3%BC.xls",
                "blob.xls",
            ),
            ("voice", "audio/mpeg", "", "voice.mp3"),
            ("clip", "video/quicktime; x=1", "", "clip.mov"),
            ("note", "text/plain; charset=utf-8", "", "note.txt"),
            ("logo", "image/svg+xml", "", "logo.svg"),
            ("../a/b.txt", "", "", ".._a_b.txt"),
            ("x", "nonsense", "nonsense\r\nX: y", "x"),
        ],
    )
    def test_by_example(self, name: str, content_type: str, disposition: str, stored: str) -> None:
        assert file_name(name, content_type, disposition) == stored
