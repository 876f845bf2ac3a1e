"""Files as GLPI documents of the message they came with, when the settings want them there.

A message that is a followup owns its documents, the ticket those of its text. So the message is
written first, without a word of the files that are to be stored, since GLPI shows them itself; a
file that could not be stored is then named in the text, with a link to it and the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.sdk import (
    Attachment,
    HubError,
    Intent,
    LaneLost,
    Link,
    Message,
    Rejected,
    Remote,
    RetryLater,
    Skip,
)
from hub_glpi import rights, sentences
from hub_glpi.api.documents import Document, Owner
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.locale import phrase
from hub_glpi.mappers.file_name import ending_of, file_name
from hub_glpi.mappers.message import Notes, attachment_name
from hub_glpi.work import Work

_KIND: Final = "document"
#: In the data of a message's link: whether files of it are still to be stored. ``notes`` beside it
#: tells of each file, see ``mappers.message.Notes``.
DUE: Final = "files_due"
#: With these a web server in front of GLPI refuses one upload and not the whole API.
_UPLOAD_REFUSED: Final = (403, 406, 415)


class _NotStored(Skip):
    """Nothing was made in GLPI. The sentence is the note for the text."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    data: bytes


class Attachments:
    """Stores the files of messages, and removes them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._language = work.config.language

    def plan(self, message: Message, known: Notes | None = None) -> Notes:
        """What is to become of each file, by attachment id: see ``Notes``.

        ``known`` is what became of those that were planned before.
        """
        if not self._work.config.upload_attachments:
            return known or {}
        planned = {item.id: self._reason_against(item) for item in _files(message) if item.id}
        return {**planned, **(known or {})}

    def is_due(self, notes: Notes, known: Notes | None = None) -> bool:
        """Whether files are still to be stored, apart from what is ``known``."""
        return any(note is None and name not in (known or {}) for name, note in notes.items())

    def store(self, message: Message, local_id: str, owner: Owner, notes: Notes) -> Notes:
        """Store the files of a message that is in GLPI; ``local_id`` names it. What became of each.

        Files stored before are not stored again.
        """
        results = dict(notes)
        for item in _files(message):
            if item.id is not None and results.get(item.id, "") is None:
                results[item.id] = self._store_one(item, f"{local_id}/{item.id}", owner)
        return results

    def delete(self, local_id: str, owner: Owner, notes: Notes, *, unfinished: bool) -> None:
        """Delete the documents of a message. ``unfinished``: some may be there without a link.

        :raises Rejected: GLPI does not let the hub delete one.
        """
        links = self._work.context.links
        for item_id in notes:
            link = links.get(_KIND, f"{local_id}/{item_id}")
            if link is None or link.gone:
                continue
            self._delete_one(int(link.remote_id), _owner_of(link, owner))
            links.mark_gone(link, sentences.FILE_DELETED.format(id=link.remote_id))
        if unfinished:
            ends = tuple(_mark(item_id) for item_id in notes)
            for document in self._documents(owner):
                if document.name.endswith(ends) and not links.with_remote(_KIND, str(document.id)):
                    self._delete_one(document.id, owner)

    def _delete_one(self, number: int, owner: Owner) -> None:
        try:
            removed = self._work.glpi.documents.remove(number, owner)
        except Refused as refused:
            # A right that is missing concerns this file only, so the hook goes on.
            error = rights.explain(self._work.glpi, refused, rights.DELETE_DOCUMENTS)
            raise Rejected(
                sentences.FILE_NOT_DELETED.format(id=number, reason=error.sentence)
            ) from refused
        if removed:
            self._work.say(sentences.FILE_DELETED, id=number)

    def _store_one(self, item: Attachment, local_id: str, owner: Owner) -> str | None:
        name = attachment_name(item) + _mark(item.id)

        def create() -> Remote:
            file = self._fetch(item)
            number = self._upload(owner, name, file)
            self._work.say(sentences.FILE_STORED, name=file.name, id=number)
            return self._remote(number, owner)

        def find(intent: Intent) -> Remote | None:
            for document in self._documents(owner):
                if document.name == intent.natural_key:
                    if document.has_file:
                        return self._remote(document.id, owner)
                    self._work.glpi.documents.delete(document.id)
            return None

        try:
            self._work.context.links.create_once(
                _KIND, local_id, create=create, find=find, natural_key=name
            )
        except _NotStored as reason:
            return reason.sentence
        return None

    def _upload(self, owner: Owner, name: str, file: _File) -> int:
        documents = self._work.glpi.documents
        try:
            upload = documents.upload(owner, name, file.name, file.data)
        except Refused as refused:
            raise self._refused(refused.reason) from refused
        except Rejected as rejected:
            # Larger than a web server lets through, say.
            raise self._refused(rejected.sentence) from rejected
        except RetryLater as error:
            status = None if error.response is None else error.response.status_code
            if status not in _UPLOAD_REFUSED:
                raise
            raise self._refused(f"HTTP {status}") from error
        if upload.error:
            # GLPI has made an empty document all the same.
            documents.delete(upload.id)
            raise self._refused(upload.error)
        return upload.id

    def _refused(self, reason: str) -> _NotStored:
        return _NotStored(self._say(sentences.FILE_REFUSED, reason=reason.rstrip(".")))

    def _documents(self, owner: Owner) -> Sequence[Document]:
        try:
            return self._work.glpi.documents.of(owner)
        except Missing:
            return []

    def _remote(self, number: int, owner: Owner) -> Remote:
        url = self._work.config.page("document", number)
        return Remote(str(number), url=url, data={"owner": [owner.itemtype, owner.id]})

    def _reason_against(self, item: Attachment) -> str | None:
        """Why a file is not even fetched."""
        config = self._work.config
        name = file_name(attachment_name(item), item.content_type or "")
        if ending_of(name) and (reason := self._type_left_out(name)):
            return reason
        if item.size is not None and item.size > config.upload_limit:
            megabytes = config.upload_limit // (1024 * 1024)
            return self._say(sentences.FILE_TOO_LARGE, megabytes=megabytes)
        return None

    def _type_left_out(self, name: str) -> str | None:
        wanted = self._work.config.upload_types
        if wanted and ending_of(name).lstrip(".") not in wanted:
            return self._say(sentences.FILE_TYPE_LEFT_OUT)
        return None

    def _fetch(self, item: Attachment) -> _File:
        """The file. Trouble with it must not hold up the message."""
        try:
            response = self._work.context.http.get(
                item.url or "", allow_redirects=True, max_bytes=self._work.config.upload_limit
            )
        except LaneLost:
            raise
        except HubError as error:
            raise _NotStored(
                self._say(sentences.FILE_NOT_STORED, reason=error.sentence.rstrip("."))
            ) from error
        if response.status_code != 200:
            status = f"HTTP {response.status_code}"
            raise _NotStored(self._say(sentences.FILE_NOT_STORED, reason=status))
        headers = response.headers
        name = file_name(
            attachment_name(item),
            item.content_type or headers.get("Content-Type", ""),
            headers.get("Content-Disposition", ""),
        )
        if reason := self._type_left_out(name):
            raise _NotStored(reason)
        return _File(name, response.content)

    def _say(self, text: str, **values: object) -> str:
        return phrase(text, self._language, **values)


def _files(message: Message) -> Iterable[Attachment]:
    return [item for item in message.attachments if item.id and item.url and item.latitude is None]


def _mark(item_id: str | None) -> str:
    """Ends a document's name, so that it is known again."""
    return f" ({item_id})"


def _owner_of(link: Link, message: Owner) -> Owner:
    """What a document hangs on. Older links do not tell: then it is the ticket."""
    known = link.data.get("owner")
    return Owner(known[0], known[1], message.ticket_id) if known else message.ticket
