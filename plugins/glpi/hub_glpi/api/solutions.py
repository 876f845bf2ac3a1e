"""GLPI solutions: the text with which a ticket was solved."""

from __future__ import annotations

from hub_glpi.api.answers import added
from hub_glpi.api.connection import Connection


class Solutions:
    """Solutions of tickets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, ticket_id: int, content: str) -> int:
        """Solve a ticket with a text.

        :raises Refused: it is solved already, or a right is missing; the code is the same.
        """
        values = {"itemtype": "Ticket", "items_id": ticket_id, "content": content}
        return added(self._connection.post("ITILSolution", values))
