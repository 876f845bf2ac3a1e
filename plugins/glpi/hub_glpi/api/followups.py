"""GLPI followups: the messages of a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_glpi.api.answers import added_each, change_message, each_of, record, records
from hub_glpi.api.connection import Connection
from hub_glpi.api.errors import Refused

_PAGE = 100


class Followups:
    """Followups of tickets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create_each(
        self, ticket_id: int, followups: Sequence[Mapping[str, Any]]
    ) -> list[int | Refused]:
        """Add followups in one call; each answers with its id or GLPI's refusal, in order.

        A missing ticket is refused with a text about permission, not as missing.
        """
        values = [
            {**followup, "itemtype": "Ticket", "items_id": ticket_id} for followup in followups
        ]
        try:
            return added_each(self._connection.post("ITILFollowup", values), len(values))
        except Refused as refused:
            if len(refused.parts) == len(values):
                return each_of(refused.parts, len(values), 400)
            return [refused] * len(values)

    def newest_first(self, ticket_id: int) -> Iterator[dict[str, Any]]:
        """The ticket's followups, read page by page as they are wanted.

        :raises Missing: there is no such ticket.
        """
        start, total = 0, 1
        while start < total:
            answer = self._connection.get(
                f"Ticket/{ticket_id}/ITILFollowup",
                {"range": f"{start}-{start + _PAGE - 1}", "sort": "id", "order": "DESC"},
            )
            yield from records(answer)
            total = answer.total or 0
            start += _PAGE

    def get(self, followup_id: int) -> dict[str, Any]:
        """A followup.

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"ITILFollowup/{followup_id}"))

    def update(self, followup_id: int, values: Mapping[str, Any]) -> str:
        """Change a followup; answers GLPI's remark.

        :raises Refused: nameless if there is no such followup any more.
        """
        return change_message(self._connection.put(f"ITILFollowup/{followup_id}", values))
