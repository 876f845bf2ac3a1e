"""New conversations: each gets one activity on the lead of its contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from hub.sdk import (
    MESSAGE_CREATED,
    Conversation,
    Done,
    Event,
    Inboxes,
    Link,
    NeedsAttention,
    Notes,
    Skip,
)
from hub_leadsquared import sentences
from hub_leadsquared.mappers.conversation import started_note
from hub_leadsquared.notices import Notices
from hub_leadsquared.people import People
from hub_leadsquared.posts import Post, Posts
from hub_leadsquared.work import (
    Work,
    contact_key,
    conversation_key,
    conversation_of,
    reason_against,
)

#: The kind of their links.
KIND: Final = "started"
#: Where version 1 remembered, by contact, what had begun before it was known who wrote.
_UNCLAIMED: Final = "unclaimed"


class Conversations:
    """Posts the activities of new conversations."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = work.context.links
        self._notes = Notes(work.context, _UNCLAIMED)

    def started(self, event: Event) -> Done:
        """Post the activity.

        :raises Skip: it is switched off, was posted before, or is not wanted.
        :raises KeepBack: the contact is not known yet.
        """
        if not self._work.config.started_enabled:
            raise Skip(sentences.STARTED_OFF)
        code = self._code()
        if link := self._links.get(KIND, conversation_key(event)):
            raise Skip(sentences.STARTED_BEFORE.format(id=link.remote_id))
        if reason := reason_against(self._work, event):
            raise Skip(reason)
        lead = People(self._work).ensure(event)
        link = Posts(self._work).post(event, self._post(event, code, lead))
        return Done(sentences.STARTED_POSTED.format(id=link.remote_id), link.url)

    def catch_up(self, event: Event) -> bool:
        """Post the activities that version 1 of this plugin has remembered for a contact without
        email and phone number.

        Answers whether there were any.
        """
        waiting = self._waiting(event)
        if not waiting or not self._work.config.started_enabled:
            return False
        for item in waiting:
            post = Post(
                KIND,
                item["key"],
                self._code(),
                item["note"],
                datetime.fromisoformat(item["at"]),
            )
            link = Posts(self._work).post(event, post)
            self._work.say(sentences.STARTED_POSTED, id=link.remote_id)
        self._keep(event, [])
        return True

    def _post(self, event: Event, code: int, lead: Link) -> Post:
        config, conversation = self._work.config, self._named(event)
        at = conversation.created_at or event.occurred_at
        notices = Notices(self._work)
        remarks = notices.due(event, lead)
        note = started_note(
            conversation,
            at,
            brand=event.source.kind.capitalize(),
            zone=config.zone,
            zone_name=config.zone_name,
            language=config.language,
            notices=notices.texts(remarks),
        )
        told = tuple(remark.key for remark in remarks)
        return Post(KIND, conversation_key(event), code, note, at, told)

    def _named(self, event: Event) -> Conversation:
        """The conversation with its inbox's name, as its messages or earlier ones told it."""
        conversation = conversation_of(event)
        told = [
            item.conversation.inbox_name
            for item in (event, *self._work.context.following(MESSAGE_CREATED))
            if item.conversation is not None
            and item.source.id == event.source.id
            and item.conversation.inbox_id == conversation.inbox_id
        ]
        name = next(filter(None, told), None)
        inbox = Inboxes(self._work.context).name(event.source, conversation.inbox_id, name)
        return replace(conversation, inbox_name=inbox)

    def _code(self) -> int:
        code = self._work.config.started_code
        if code is None:
            raise NeedsAttention(sentences.NO_ACTIVITY_TYPE, field="enable_conversation_activity")
        return code

    def _waiting(self, event: Event) -> list[dict[str, Any]]:
        note = self._notes.get(contact_key(event)) or {}
        return list(note.get("conversations", []))

    def _keep(self, event: Event, waiting: list[dict[str, Any]]) -> None:
        self._notes.keep(contact_key(event), {"conversations": waiting})
