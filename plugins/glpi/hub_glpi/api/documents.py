"""GLPI documents: files that hang on a ticket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hub_glpi.api.answers import added, decoded, record, records
from hub_glpi.api.connection import Connection


@dataclass(frozen=True, slots=True)
class Upload:
    """The answer to an upload. ``error`` is GLPI's reason when it took the record, not the file."""

    id: int
    error: str = ""


class Documents:
    """Documents of tickets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(self, ticket_id: int, name: str, file_name: str, data: bytes) -> Upload:
        """Upload a file to a ticket.

        A forbidden type is answered with 201 and an empty document; only ``upload_result`` tells.

        :raises Refused: a right is missing, or the ticket takes no documents (closed, 10.0.19).
        """
        manifest = {
            "input": {
                "name": name,
                "_filename": [file_name],
                "itemtype": "Ticket",
                "items_id": ticket_id,
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

    def names(self, ticket_id: int) -> dict[int, str]:
        """The ids and names of the documents of a ticket.

        :raises Missing: there is no such ticket.
        """
        items = records(
            self._connection.get(f"Ticket/{ticket_id}/Document_Item", {"range": "0-499"})
        )
        ids = sorted({int(item["documents_id"]) for item in items}, reverse=True)
        return {number: str(self._document(number).get("name") or "") for number in ids}

    def delete(self, document_id: int) -> None:
        """Delete a document for good."""
        self._connection.delete(f"Document/{document_id}")

    def _document(self, document_id: int) -> dict[str, Any]:
        return record(self._connection.get(f"Document/{document_id}"))


def _upload_error(result: Any) -> str:
    files = result.get("filename") if isinstance(result, dict) else None
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("error"):
            return str(decoded(file["error"]))
    return ""
