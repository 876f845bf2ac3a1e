"""Attachments as GLPI documents, when the settings want them stored there.

Each answers with a note for the people who read the ticket, also when it could not be stored.
The link to the file stays in the text either way.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from hub.sdk import Attachment, Event, HubError, Intent, LaneLost, Link, Message, Remote
from hub_glpi import sentences
from hub_glpi.api.errors import Refused
from hub_glpi.locale import phrase
from hub_glpi.mappers.message import attachment_name
from hub_glpi.work import Work, key


class _NotStored(Exception):
    """Carries the note that says why."""


class Attachments:
    """Stores the files of messages at tickets."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._language = work.config.language

    def store(self, event: Event, message: Message, ticket: Link) -> dict[str, str]:
        """Store a message's files; notes by attachment id. Files stored before are not again."""
        if not self._work.config.upload_attachments:
            return {}
        return {
            item.id: self._store_one(event, message, item, ticket)
            for item in message.attachments
            if item.id and item.url and item.latitude is None
        }

    def _store_one(self, event: Event, message: Message, item: Attachment, ticket: Link) -> str:
        local_id = f"{key(event, message.id)}/{item.id}"
        name = f"{attachment_name(item)} ({item.id})"
        documents = self._work.glpi.documents
        number = int(ticket.remote_id)

        def create() -> Remote:
            data = self._fetch(item)
            try:
                upload = documents.upload(number, name, self._file_name(item), data)
            except Refused as refused:
                raise _NotStored(
                    self._say(sentences.FILE_REFUSED, reason=refused.reason)
                ) from refused
            if upload.error:
                # GLPI has made an empty document all the same.
                documents.delete(upload.id)
                raise _NotStored(self._say(sentences.FILE_REFUSED, reason=upload.error))
            return Remote(str(upload.id), url=self._work.config.page("document", upload.id))

        def find(intent: Intent) -> Remote | None:
            for document_id, known in documents.names(number).items():
                if known == intent.natural_key:
                    return Remote(
                        str(document_id), url=self._work.config.page("document", document_id)
                    )
            return None

        try:
            self._check(item)
            link = self._work.context.links.create_once(
                "document", local_id, create=create, find=find, natural_key=name
            )
        except _NotStored as reason:
            return str(reason)
        return self._say(sentences.FILE_STORED, id=link.remote_id)

    def _check(self, item: Attachment) -> None:
        config = self._work.config
        ending = PurePosixPath(self._file_name(item)).suffix.lstrip(".").casefold()
        if config.upload_types and ending not in config.upload_types:
            raise _NotStored(self._say(sentences.FILE_TYPE_LEFT_OUT))
        if item.size is not None and item.size > config.upload_limit:
            megabytes = config.upload_limit // (1024 * 1024)
            raise _NotStored(self._say(sentences.FILE_TOO_LARGE, megabytes=megabytes))

    def _fetch(self, item: Attachment) -> bytes:
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
        return response.content

    def _file_name(self, item: Attachment) -> str:
        """A file name with an ending, since GLPI judges files by it."""
        name = attachment_name(item).replace("/", "_").replace("\\", "_")
        kind = (item.content_type or "").partition(";")[0].rpartition("/")[2]
        return name if PurePosixPath(name).suffix or not kind else f"{name}.{kind}"

    def _say(self, text: str, **values: object) -> str:
        return phrase(text, self._language, **values)
