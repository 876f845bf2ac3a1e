"""Users, their email addresses and their profiles (traps 2 to 6 and 11 to 14)."""

from __future__ import annotations

import re
from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import Refused
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.query import listed
from hub_glpi.simulator.sessions import SELF_SERVICE, Session

_LOGIN = re.compile(r"[\w '@.-]+\Z")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_LONGEST_LOGIN = 255


def is_email(text: str) -> bool:
    return bool(_EMAIL.match(text))


class User(ItemType):
    name = "User"

    def add(self, session: Session, values: Row) -> Row:
        login = str(values.get("name") or "")
        if not self._is_login(login):
            raise Refused("The login is not valid. Unable to add the user.")
        login = login[:_LONGEST_LOGIN]
        if self.database.user_named(login):
            raise Refused("Unable to add. The user already exists.")
        row = self.table.insert({**self.dates(), **values, "name": login, "id": None})
        for number, email in enumerate(listed(values.get("_useremails", []))):
            self._add_email(row, str(email), is_default=number == 0)
        self._add_profile(row, values)
        del session
        return row

    def change(self, session: Session, row: Row, values: Row) -> str:
        message = ""
        login = values.get("name")
        if login is not None and login != row["name"]:
            other = self.database.user_named(str(login))
            if other is not None and other is not row:
                del values["name"]
                message = "Unable to update login. A user already exists."
        super().change(session, row, values)
        for email in listed(values.get("_useremails", [])):
            message = self._add_email(row, str(email), is_default=False) or message
        return message

    def purge(self, row: Row) -> None:
        for kind in ("UserEmail", "Profile_User"):
            table = self.database[kind]
            for related in table.where("users_id", row["id"]):
                table.remove(related)
        super().purge(row)

    def sees(self, _session: Session, _row: Row) -> bool:
        return True

    def label(self, row: Row) -> str:
        names = [row["realname"], row["firstname"]]
        return " ".join(n for n in names if n) or str(row["name"])

    def _is_login(self, login: str) -> bool:
        if _LOGIN.match(login):
            return True
        return self.database.release.email_as_login and is_email(login)

    def _add_email(self, user: Row, email: str, *, is_default: bool) -> str:
        """Adds an address if it is one; the message when it was there already."""
        table = self.database["UserEmail"]
        if not is_email(email):
            return ""
        known = table.where("users_id", user["id"])
        if any(row["email"].lower() == email.lower() for row in known):
            table.burn_id()
            return f"Duplicate entry '{user['id']}-{email}' for key 'unicity'"
        default = is_default or not known
        table.insert({"users_id": user["id"], "email": email, "is_default": int(default)})
        return ""

    def _add_profile(self, user: Row, values: Row) -> None:
        """``entities_id`` gives no right there; ``_entities_id`` and ``_profiles_id`` do."""
        profile: dict[str, Any] = {"profiles_id": SELF_SERVICE, "is_dynamic": 1}
        profile["is_default_profile"] = 1
        if values.get("_profiles_id"):
            profile = {
                "profiles_id": values["_profiles_id"],
                "entities_id": values.get("_entities_id", 0),
                "is_recursive": values.get("_is_recursive", 0),
            }
        self.database["Profile_User"].insert({"users_id": user["id"], **profile})


class UserEmail(ItemType):
    name = "UserEmail"
    says_added = False

    def add(self, session: Session, values: Row) -> Row:
        if self.database["User"].get(int(values.get("users_id") or 0)) is None:
            raise Refused
        email = str(values.get("email") or "")
        others = self.table.where("users_id", int(values["users_id"]))
        if any(row["email"].lower() == email.lower() for row in others):
            self.table.burn_id()
            raise Refused(f"Duplicate entry '{values['users_id']}-{email}' for key 'unicity'")
        row = super().add(session, values)
        self._keep_one_default(row)
        return row

    def change(self, session: Session, row: Row, values: Row) -> str:
        message = super().change(session, row, values)
        self._keep_one_default(row)
        return message

    def _keep_one_default(self, row: Row) -> None:
        if row["is_default"]:
            for other in self.table.where("users_id", row["users_id"]):
                if other is not row:
                    other["is_default"] = 0
