"""Documents: multipart uploads and their links to tickets and followups (trap 16)."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import secrets
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError, Refused
from hub_glpi.simulator.followups import TicketPart
from hub_glpi.simulator.sessions import Session

_ALLOWED = """
    aac avi bmp csv doc docx eml flac gif gz heic html ico jpeg jpg json log m4a mkv mov mp3 mp4
    mpeg odp ods odt ogg opus pdf png ppt pptx rar rtf svg tar tif tiff txt wav webm webp wma wmv
    xls xlsx xml zip"""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    filename: str
    content: bytes
    content_type: str


def multipart(content_type: str, body: bytes) -> tuple[Any, list[Upload]]:
    """The JSON of ``uploadManifest``, and the files."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    message = message_from_bytes(head + body, policy=policy.HTTP)
    manifest: Any = None
    uploads = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        if name == "uploadManifest":
            try:
                manifest = json.loads(data)
            except ValueError as error:
                raise ApiError(
                    400, "ERROR_JSON_PAYLOAD_INVALID", "JSON payload seems not valid"
                ) from error
        elif filename := part.get_filename():
            uploads.append(Upload(filename, data, part.get_content_type()))
    return manifest, uploads


@dataclass(frozen=True, slots=True)
class Owner:
    """What a document hangs on: a ticket, or a followup of one."""

    itemtype: str
    row: Row
    ticket: Row

    @property
    def document_name(self) -> str:
        """What GLPI calls a document that was given no name."""
        if self.itemtype == "Ticket":
            return f"Document: Ticket - {self.ticket['name']}"
        return "Document: Followup - Followups"


class Attached(TicketPart):
    """What hangs on a ticket or on a followup of one."""

    def owner_of(self, session: Session, values: Row) -> Owner:
        """The ticket or followup that is named; refused without one that the session sees."""
        itemtype = str(values.get("itemtype"))
        if itemtype != "ITILFollowup":
            ticket = self.ticket_of(session, values)
            return Owner(itemtype, ticket, ticket)
        number = str(values.get("items_id"))
        followup = self.database[itemtype].get(int(number)) if number.isdigit() else None
        if followup is None:
            raise Refused
        return Owner(itemtype, followup, self.ticket_of(session, followup))

    def side_of(self, session: Session, owner: Owner) -> int:
        """The side of the timeline. What belongs to a followup stands with it."""
        if owner.itemtype != "Ticket":
            return 0
        return self.position_of(session.user_id, owner.ticket)


class Document(Attached):
    name = "Document"

    def add(self, session: Session, values: Row) -> Row:
        entity = self.entity_for(session, values)
        owner = self.owner_of(session, values) if values.get("items_id") else None
        row = self.table.insert(
            {
                **values,
                **self.dates(),
                "id": None,
                "entities_id": entity,
                "name": values.get("name") or (owner.document_name if owner else ""),
                "users_id": session.user_id,
                "tickets_id": owner.ticket["id"] if owner and owner.itemtype == "Ticket" else 0,
                "tag": f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{_unique()}",
            }
        )
        if owner is not None:
            self.database["Document_Item"].insert(
                {
                    **self.dates(),
                    "documents_id": row["id"],
                    "itemtype": owner.itemtype,
                    "items_id": owner.row["id"],
                    "entities_id": entity,
                    "users_id": session.user_id,
                    "timeline_position": self.side_of(session, owner),
                }
            )
        return row

    def purge(self, row: Row) -> None:
        links = self.database["Document_Item"]
        for link in links.where("documents_id", row["id"]):
            links.remove(link)
        super().purge(row)

    def sees(self, session: Session, row: Row) -> bool:
        return row["entities_id"] in session.entities

    def of(self, itemtype: str, row: Row, base: str) -> list[Row]:
        """An item's documents with those of the followups and solutions of a ticket, as
        ``with_documents`` shows them."""
        owners = [(itemtype, row["id"])]
        if itemtype == "Ticket":
            for kind in ("ITILFollowup", "ITILSolution"):
                parts = self.database[kind].where("item", (itemtype, row["id"]))
                owners += [(kind, part["id"]) for part in parts]
        links = self.database["Document_Item"]
        return [self._owned(link, base) for owner in owners for link in links.where("item", owner)]

    def _owned(self, link: Row, base: str) -> Row:
        document = self.database["Document"].rows[link["documents_id"]]
        shown = self.shown(document, base)
        # Only a document by itself names its links to items.
        shown["links"] = [one for one in shown["links"] if one["rel"] != "Document_Item"]
        return {
            "assocID": link["id"],
            "assocdate": link["date_creation"],
            "entityID": link["entities_id"],
            "entity": self.database["Entity"].rows[link["entities_id"]]["completename"],
            "headings": None,
            **shown,
        }

    def receive(self, row: Row, uploads: list[Upload], root: str) -> dict[str, list[Row]]:
        """Keeps the files, and tells what became of each (``upload_result``)."""
        results = []
        for upload in uploads:
            prefix = _unique()
            result: Row = {
                "name": prefix + upload.filename,
                "size": len(upload.content),
                "type": upload.content_type,
            }
            if upload.filename.rpartition(".")[2].lower() in _ALLOWED.split():
                result |= {
                    "url": f"{root}/files/{prefix}{upload.filename}",
                    "deleteUrl": f"{root}/apirest.php?filenam={prefix}{upload.filename}",
                    "deleteType": "DELETE",
                }
                guessed = mimetypes.guess_type(upload.filename)[0]
                row["filename"] = upload.filename
                row["mime"] = guessed or upload.content_type
                digest = hashlib.sha1(upload.content, usedforsecurity=False).hexdigest()
                ending = upload.filename.rpartition(".")[2].upper()
                row["sha1sum"] = digest
                row["filepath"] = f"{ending}/{digest[:2]}/{digest[2:]}.{ending}"
            else:
                result["error"] = "Filetype not allowed"
            result |= {
                "prefix": prefix,
                "display": upload.filename,
                "filesize": f"{len(upload.content)} o",
                "id": f"docfilename{secrets.randbelow(2**31)}",
            }
            results.append(result)
        return {"filename": results}


class DocumentItem(Attached):
    name = "Document_Item"
    says_added = False

    def add(self, session: Session, values: Row) -> Row:
        owner = self.owner_of(session, values)
        if self.database["Document"].get(int(values.get("documents_id") or 0)) is None:
            raise Refused
        position = self.side_of(session, owner)
        defaults = {"users_id": session.user_id, "timeline_position": position}
        return self.table.insert({**self.dates(), **defaults, **values, "id": None})

    def sees(self, session: Session, row: Row) -> bool:
        return row["entities_id"] in session.entities


def _unique() -> str:
    """What PHP's ``uniqid`` gives with more entropy."""
    return f"{secrets.token_hex(7)}.{secrets.randbelow(10**8):08d}"
