"""GLPI Tickets and their requesters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub_glpi.api import search
from hub_glpi.api.answers import added, change_message, record, records
from hub_glpi.api.connection import Connection
from hub_glpi.api.search import Condition

ID: Final = 2
CONTENT: Final = 21
#: The type of a requester among a ticket's actors.
REQUESTER: Final = 1


@dataclass(frozen=True, slots=True)
class FoundTicket:
    """A ticket that a search showed, with its content (HTML)."""

    id: int
    content: str


class Tickets:
    """Tickets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def containing(self, text: str) -> list[FoundTicket]:
        """Tickets whose content may hold the text, newest first; not those in the trash."""
        found = search.any_of(
            self._connection,
            "Ticket",
            [Condition(CONTENT, text)],
            [ID, CONTENT],
            newest_first=True,
        )
        return [FoundTicket(int(row[ID]), str(row.get(CONTENT) or "")) for row in found]

    def get(self, ticket_id: int) -> dict[str, Any]:
        """A ticket, also one in the trash (``is_deleted`` is 1).

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"Ticket/{ticket_id}"))

    def create(self, values: Mapping[str, Any]) -> int:
        """Add a ticket. Wrong references are accepted in silence, so give right ones.

        :raises Refused: a right is missing or the entity is out of reach.
        """
        return added(self._connection.post("Ticket", dict(values)))

    def update(self, ticket_id: int, values: Mapping[str, Any]) -> str:
        """Change a ticket; answers GLPI's remark.

        :raises Refused: nameless if there is no such ticket any more.
        """
        return change_message(self._connection.put(f"Ticket/{ticket_id}", values))

    def requesters(self, ticket_id: int) -> list[dict[str, Any]]:
        """The requesters: ``id``, ``users_id`` (0 for an address only), ``alternative_email``."""
        actors = records(self._connection.get(f"Ticket/{ticket_id}/Ticket_User"))
        return [actor for actor in actors if actor.get("type") == REQUESTER]

    def add_requester(self, ticket_id: int, *, user_id: int = 0, email: str = "") -> None:
        """Make a user, or someone known by email alone, a requester."""
        values: dict[str, Any] = {
            "tickets_id": ticket_id,
            "type": REQUESTER,
            "users_id": user_id,
            "use_notification": 1,
        }
        if email:
            values["alternative_email"] = email
        added(self._connection.post("Ticket_User", values))

    def remove_requester(self, actor_id: int) -> None:
        """Remove one of the ``requesters`` by its own id."""
        self._connection.delete(f"Ticket_User/{actor_id}")
