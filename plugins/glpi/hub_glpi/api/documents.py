"""GLPI documents: files that hang on a followup or on a ticket.

Seen on 9.5.13, 10.0.14 and 11.0.6: the page of a ticket shows a followup's documents right under
its text, and a document of the ticket as an entry of its own. ``GET /Ticket/ID/Document_Item``
leaves those of the followups out. A followup that is deleted leaves its documents behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub_glpi.api.answers import added, decoded, record, records
from hub_glpi.api.connection import Connection
from hub_glpi.api.errors import Missing, Refused

_ALL = {"range": "0-499"}


@dataclass(frozen=True, slots=True)
class Owner:
    """What a document hangs on: ``ITILFollowup`` or ``Ticket``, and its number.

    ``ticket_id`` is the ticket that a followup belongs to.
    """

    itemtype: str
    id: int
    ticket_id: int

    @classmethod
    def of_followup(cls, number: int, ticket_id: int) -> Owner:
        """A followup."""
        return cls("ITILFollowup", number, ticket_id)

    @classmethod
    def of_ticket(cls, number: int) -> Owner:
        """A ticket."""
        return cls("Ticket", number, number)

    @property
    def ticket(self) -> Owner:
        """The ticket of a followup; a ticket itself."""
        return self.of_ticket(self.ticket_id)


@dataclass(frozen=True, slots=True)
class Document:
    """A document. One without a file is what a refused upload leaves behind."""

    id: int
    name: str
    has_file: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """The answer to an upload. ``error`` is GLPI's reason when it took the record, not the file."""

    id: int
    error: str = ""


class Documents:
    """Documents of followups and tickets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(self, owner: Owner, name: str, file_name: str, data: bytes) -> Upload:
        """Upload a file to a followup or ticket.

        A forbidden type is answered with 201 and an empty document; only ``upload_result`` tells.
        GLPI 11 refuses it.

        :raises Refused: a right is missing, or the ticket takes no documents (closed, 10.0.19).
        """
        manifest = {
            "input": {
                "name": name,
                "_filename": [file_name],
                "itemtype": owner.itemtype,
                "items_id": owner.id,
            }
        }
        answer = self._connection.call(
            "POST",
            "Document",
            files={
                "uploadManifest": (None, json.dumps(manifest), "application/json"),
                "filename[0]": (file_name, data),
            },
        )
        return Upload(added(answer), _upload_error(answer.body.get("upload_result")))

    def of(self, owner: Owner) -> list[Document]:
        """The documents of a followup or ticket, newest first.

        :raises Missing: there is no such followup or ticket.
        """
        items = records(self._connection.get(f"{owner.itemtype}/{owner.id}/Document_Item", _ALL))
        ids = sorted({int(item["documents_id"]) for item in items}, reverse=True)
        return [self._document(number) for number in ids]

    def delete(self, document_id: int) -> None:
        """Delete a document for good."""
        self._connection.delete(f"Document/{document_id}")

    def remove(self, document_id: int, owner: Owner) -> bool:
        """Take a document from its owner, and delete it for good if it hangs on nothing else.

        ``False`` if it was gone already.

        :raises Refused: a right is missing.
        """
        try:
            items = records(self._connection.get(f"Document/{document_id}/Document_Item", _ALL))
        except Missing:
            return False
        own = [
            item
            for item in items
            if (item["itemtype"], item["items_id"]) == (owner.itemtype, owner.id)
        ]
        paths = [f"Document_Item/{item['id']}" for item in own]
        if len(own) == len(items):
            paths = [f"Document/{document_id}"]
        removed = False
        for path in paths:
            try:
                self._connection.delete(path)
            except Refused as refused:
                if not refused.nameless:
                    raise
            else:
                removed = True
        return removed

    def _document(self, number: int) -> Document:
        values = record(self._connection.get(f"Document/{number}"))
        return Document(number, str(values.get("name") or ""), bool(values.get("filename")))


def _upload_error(result: Any) -> str:
    files = result.get("filename") if isinstance(result, dict) else None
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("error"):
            return str(decoded(file["error"]))
    return ""
