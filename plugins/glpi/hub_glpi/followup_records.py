"""Followups in GLPI: adding them exactly once, and replacing their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.sdk import HubError, Link, Message, Remote, Skip
from hub_glpi import rights, sentences
from hub_glpi.api.errors import Missing, Refused
from hub_glpi.conversations import Conversations
from hub_glpi.followup_search import finder
from hub_glpi.mappers.conversation import words_for_time
from hub_glpi.mappers.message import head
from hub_glpi.work import Work

#: The kind of their links.
KIND: Final = "followup"


@dataclass(frozen=True, slots=True)
class Followup:
    """A followup to be added, with what its link remembers."""

    local_id: str
    values: Mapping[str, Any]
    natural_key: str
    data: Mapping[str, Any]


class FollowupRecords:
    """Adds and rewrites followups."""

    def __init__(self, work: Work, conversations: Conversations) -> None:
        self._work = work
        self._links = work.context.links
        self._conversations = conversations

    def add(self, ticket: Link, followups: Sequence[Followup]) -> Mapping[str, Link | HubError]:
        """Add followups with one request; links by local id, or why GLPI refused one."""
        if not followups:
            return {}
        by_local_id = {followup.local_id: followup for followup in followups}

        def create(local_ids: Sequence[str]) -> Sequence[Remote | HubError]:
            wanted = [by_local_id[local_id] for local_id in local_ids]
            results = self._work.glpi.followups.create_each(
                int(ticket.remote_id), [followup.values for followup in wanted]
            )
            refusals = [result for result in results if isinstance(result, Refused)]
            if len(refusals) == len(results):
                # A missing ticket is refused with words about permission.
                self._conversations.explain_refusal(ticket, refusals[0], rights.ADD_FOLLOWUPS)
            return [
                result
                if isinstance(result, Refused)
                else Remote(str(result), url=ticket.url, data=followup.data)
                for followup, result in zip(wanted, results, strict=True)
            ]

        return self._links.create_many_once(
            KIND,
            list(by_local_id),
            create=create,
            find=finder(self._work, KIND, ticket, lambda local_id: by_local_id[local_id].data),
            natural_keys={name: item.natural_key for name, item in by_local_id.items()},
        )

    def head(self, message: Message, link: Link | None = None) -> str:
        """The line above a message that says who wrote it and when.

        "" for a link of a customer's own followup, where GLPI says it. Version 1 of this plugin
        did not note that, and had the line above every followup.
        """
        if link is not None and link.data.get("own"):
            return ""
        sent_at = ""
        if message.created_at is not None:
            sent_at = words_for_time(message.created_at, self._work.glpi.connection.clock_offset)
        return head(message, self._work.config.language, sent_at)

    def rewrite(self, link: Link, content: str) -> None:
        """Replace the text of a followup.

        :raises Skip: it was deleted in GLPI, which is noted in the link.
        """
        try:
            self._work.glpi.followups.update(
                int(link.remote_id), {"content": self._work.html(content)}
            )
        except Refused as refused:
            self._explain(link, refused)

    def _explain(self, link: Link, refused: Refused) -> None:
        try:
            self._work.glpi.followups.get(int(link.remote_id))
        except Missing as missing:
            sentence = sentences.FOLLOWUP_GONE.format(id=link.remote_id)
            self._links.mark_gone(link, sentence)
            raise Skip(sentence) from missing
        raise rights.explain(self._work.glpi, refused, rights.ADD_FOLLOWUPS) from refused
