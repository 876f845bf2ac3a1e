"""Documents: multipart uploads and their links to tickets (trap 16)."""

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


class Document(TicketPart):
    name = "Document"

    def add(self, session: Session, values: Row) -> Row:
        entity = self.entity_for(session, values)
        ticket = self.ticket_of(session, values) if values.get("items_id") else None
        name = values.get("name") or (f"Document: Ticket - {ticket['name']}" if ticket else "")
        row = self.table.insert(
            {
                **values,
                **self.dates(),
                "id": None,
                "entities_id": entity,
                "name": name,
                "users_id": session.user_id,
                "tickets_id": ticket["id"] if ticket else 0,
            }
        )
        if ticket is not None:
            self.database["Document_Item"].insert(
                {
                    **self.dates(),
                    "documents_id": row["id"],
                    "itemtype": "Ticket",
                    "items_id": ticket["id"],
                    "entities_id": entity,
                    "users_id": session.user_id,
                    "timeline_position": self.position_of(session.user_id, ticket),
                }
            )
        return row

    def sees(self, session: Session, row: Row) -> bool:
        return row["entities_id"] in session.entities

    def receive(self, row: Row, uploads: list[Upload], root: str) -> dict[str, list[Row]]:
        """Keeps the files, and tells what became of each (``upload_result``)."""
        results = []
        for upload in uploads:
            prefix = f"{secrets.token_hex(7)}.{secrets.randbelow(10**8):08d}"
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
                row["sha1sum"] = hashlib.sha1(upload.content, usedforsecurity=False).hexdigest()
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


class DocumentItem(TicketPart):
    name = "Document_Item"
    says_added = False

    def add(self, session: Session, values: Row) -> Row:
        ticket = self.ticket_of(session, values)
        if self.database["Document"].get(int(values.get("documents_id") or 0)) is None:
            raise Refused
        position = self.position_of(session.user_id, ticket)
        defaults = {"users_id": session.user_id, "timeline_position": position}
        return self.table.insert({**self.dates(), **defaults, **values, "id": None})
