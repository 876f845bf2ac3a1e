"""GLPI Contacts, which are not Users: they have one email, no login, and request no tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub_glpi.api import search
from hub_glpi.api.answers import added, change_message, record
from hub_glpi.api.connection import Connection
from hub_glpi.api.people import Hit, text, texts
from hub_glpi.api.search import Condition

LAST_NAME: Final = 1
ID: Final = 2
#: On a User this number is something else: 5 is the email there, and the fax here.
EMAIL: Final = 6
FIRST_NAME: Final = 11
COMMENT: Final = 16
#: phone, phone2, mobile
PHONES: Final = (3, 4, 10)
_SHOWN: Final = (ID, LAST_NAME, FIRST_NAME, EMAIL, *PHONES)


class Contacts:
    """Contacts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def with_email(self, email: str) -> list[Hit]:
        """Contacts who may have this email."""
        return self._search([search.exactly(EMAIL, email)])

    def with_phone_digits(self, number: str) -> list[Hit]:
        """Contacts one of whose numbers may have these digits."""
        return self._search([search.digits(field, number) for field in PHONES])

    def with_comment(self, comment: str) -> list[int]:
        """Contacts that have this comment, and nothing else there."""
        found = search.any_of(
            self._connection, "Contact", [search.exactly(COMMENT, comment)], (ID, COMMENT)
        )
        return [int(row[ID]) for row in found if text(row.get(COMMENT)) == comment]

    def get(self, contact_id: int) -> dict[str, Any]:
        """A contact, also one in the trash.

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"Contact/{contact_id}"))

    def create(self, values: Mapping[str, Any]) -> int:
        """Add a contact. GLPI allows any number of equal ones.

        :raises Refused: a right is missing or the entity is out of reach.
        """
        return added(self._connection.post("Contact", dict(values)))

    def update(self, contact_id: int, values: Mapping[str, Any]) -> str:
        """Change a contact; answers GLPI's remark.

        :raises Refused: nameless if there is no such contact any more.
        """
        return change_message(self._connection.put(f"Contact/{contact_id}", values))

    def _search(self, conditions: Sequence[Condition]) -> list[Hit]:
        found = search.any_of(self._connection, "Contact", conditions, _SHOWN)
        return [_hit(row) for row in found]


def _hit(row: Mapping[int, Any]) -> Hit:
    return Hit(
        id=int(row[ID]),
        emails=texts(row.get(EMAIL)),
        phones=tuple(number for field in PHONES for number in texts(row.get(field))),
        values=(
            ("firstname", text(row.get(FIRST_NAME))),
            ("name", text(row.get(LAST_NAME))),
            ("phone", text(row.get(PHONES[0]))),
            ("email", text(row.get(EMAIL))),
        ),
    )
