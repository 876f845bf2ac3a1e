"""GLPI Users. Field numbers: ``search_options.json`` of the recorded server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub_glpi.api import search
from hub_glpi.api.answers import added, change_message, record, records
from hub_glpi.api.connection import Connection
from hub_glpi.api.people import Hit, text, texts
from hub_glpi.api.search import Condition

LOGIN: Final = 1
ID: Final = 2
EMAIL: Final = 5
ACTIVE: Final = 8
FIRST_NAME: Final = 9
LAST_NAME: Final = 34
#: phone, phone2, mobile
PHONES: Final = (6, 10, 11)
_SHOWN: Final = (ID, LOGIN, EMAIL, *PHONES, ACTIVE, FIRST_NAME, LAST_NAME)


class Users:
    """Users, their emails and their profiles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def with_email_or_login(self, email: str) -> list[Hit]:
        """Users who may have this email, as any of theirs, or as their login."""
        return self._search([search.exactly(EMAIL, email), search.exactly(LOGIN, email)])

    def with_login(self, *logins: str, trashed: bool = False) -> list[Hit]:
        """Users who may have one of these logins. Those in the trash keep theirs."""
        hits = self._search([search.exactly(LOGIN, login) for login in logins], trashed=trashed)
        wanted = {login.casefold() for login in logins}
        return [hit for hit in hits if hit.login.casefold() in wanted]

    def with_phone_digits(self, number: str, login: str) -> list[Hit]:
        """Users one of whose numbers may have these digits, or who have the login."""
        fields = [search.digits(field, number) for field in PHONES]
        return self._search([*fields, search.exactly(LOGIN, login)])

    def get(self, user_id: int) -> dict[str, Any]:
        """A user, also one in the trash.

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"User/{user_id}"))

    def create(self, values: Mapping[str, Any]) -> int:
        """Add a user.

        :raises Refused: the login is taken or not valid, or a right is missing.
        """
        return added(self._connection.post("User", dict(values)))

    def update(self, user_id: int, values: Mapping[str, Any]) -> str:
        """Change a user; answers GLPI's remark. ``_useremails`` adds emails, it replaces none.

        :raises Refused: nameless if there is no such user any more.
        """
        return change_message(self._connection.put(f"User/{user_id}", values))

    def emails(self, user_id: int) -> list[dict[str, Any]]:
        """The emails of a user: ``id``, ``email``, ``is_default``."""
        return records(self._connection.get(f"User/{user_id}/UserEmail"))

    def add_email(self, user_id: int, email: str, *, default: bool) -> None:
        """Add an email, by wish as the default one."""
        values = {"users_id": user_id, "email": email, "is_default": int(default)}
        added(self._connection.post("UserEmail", values))

    def profiles(self, user_id: int) -> set[int]:
        """The profiles that a user has anywhere.

        :raises NotAllowed: they may not be read.
        """
        found = records(self._connection.get(f"User/{user_id}/Profile_User", {"range": "0-199"}))
        return {int(item["profiles_id"]) for item in found}

    def default_profile(self) -> int | None:
        """The profile that GLPI gives to new users, if it may be read."""
        found = records(self._connection.get("Profile", {"range": "0-199"}))
        return next((int(item["id"]) for item in found if item.get("is_default") == 1), None)

    def _search(self, conditions: Sequence[Condition], *, trashed: bool = False) -> list[Hit]:
        found = search.any_of(self._connection, "User", conditions, _SHOWN, trashed=trashed)
        return [_hit(row) for row in found]


def _hit(row: Mapping[int, Any]) -> Hit:
    return Hit(
        id=int(row[ID]),
        login=text(row.get(LOGIN)),
        emails=texts(row.get(EMAIL)),
        phones=tuple(number for field in PHONES for number in texts(row.get(field))),
        values=(
            ("firstname", text(row.get(FIRST_NAME))),
            ("realname", text(row.get(LAST_NAME))),
            ("phone", text(row.get(PHONES[0]))),
        ),
        active=str(row.get(ACTIVE, 1)) not in ("0", "False"),
    )
