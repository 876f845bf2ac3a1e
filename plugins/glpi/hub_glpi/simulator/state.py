"""The database of the simulated GLPI: tables in memory, with the data of a fresh installation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from hub_glpi.simulator.columns import COLUMNS, Row, columns_of
from hub_glpi.simulator.releases import Release
from hub_glpi.simulator.texts import folded, stored

Index = Callable[[Row], Hashable]

_INDEXES: dict[str, dict[str, Index]] = {
    "User": {"login": lambda row: folded(row["name"])},
    "UserEmail": {
        "users_id": lambda row: row["users_id"],
        "email": lambda row: folded(row["email"]),
    },
    "Profile_User": {"users_id": lambda row: row["users_id"]},
    "Ticket_User": {"tickets_id": lambda row: row["tickets_id"]},
    "ITILFollowup": {"item": lambda row: (row["itemtype"], row["items_id"])},
    "ITILSolution": {"item": lambda row: (row["itemtype"], row["items_id"])},
    "Document_Item": {
        "item": lambda row: (row["itemtype"], row["items_id"]),
        "documents_id": lambda row: row["documents_id"],
    },
}


class Table:
    """Rows by id, with indexes so that a benchmark's look-ups stay cheap."""

    def __init__(self, name: str, release: Release) -> None:
        self.name = name
        self.release = release
        self.columns = columns_of(name, release)
        self.rows: dict[int, Row] = {}
        self._next_id = 1
        self._indexes = _INDEXES.get(name, {})
        self._found: dict[str, dict[Hashable, dict[int, Row]]] = {n: {} for n in self._indexes}

    def get(self, number: int) -> Row | None:
        return self.rows.get(number)

    def where(self, index: str, value: Hashable) -> list[Row]:
        """The rows that an index has under a value, by id."""
        return list(self._found[index].get(value, {}).values())

    def burn_id(self) -> None:
        """A refused INSERT uses up a number all the same (InnoDB)."""
        self._next_id += 1

    def begin_at(self, number: int) -> None:
        """The next row gets this number."""
        self._next_id = number

    def insert(self, values: Mapping[str, Any]) -> Row:
        """Adds a row; what is no column is ignored (as the API does)."""
        row = dict(self.columns)
        row.update(self.fitting(values))
        if values.get("id") is None:
            row["id"] = self._next_id
        self._next_id = max(self._next_id, row["id"] + 1)
        self.rows[row["id"]] = row
        self._enter(row)
        return row

    def update(self, row: Row, values: Mapping[str, Any]) -> bool:
        """Changes a row, and says whether anything is new."""
        changes = {k: v for k, v in self.fitting(values).items() if row[k] != v and k != "id"}
        if changes:
            self._leave(row)
            row.update(changes)
            self._enter(row)
        return bool(changes)

    def remove(self, row: Row) -> None:
        del self.rows[row["id"]]
        self._leave(row)

    def fitting(self, values: Mapping[str, Any]) -> Row:
        """The values that have a column, as that column would hold them."""
        fitted: Row = {}
        for name, value in values.items():
            if name not in self.columns:
                continue
            default = self.columns[name]
            if isinstance(value, (dict, list)):
                continue
            if value is None:
                value = default
            elif isinstance(value, bool):
                value = int(value)
            if isinstance(default, int) and isinstance(value, str):
                value = int(value) if value.lstrip("-").isdigit() else 0
            elif isinstance(value, (int, float)) and not isinstance(default, int) and name != "id":
                value = str(value)
            fitted[name] = stored(value, self.release) if isinstance(value, str) else value
        return fitted

    def _enter(self, row: Row) -> None:
        for name, key in self._indexes.items():
            self._found[name].setdefault(key(row), {})[row["id"]] = row

    def _leave(self, row: Row) -> None:
        for name, key in self._indexes.items():
            self._found[name].get(key(row), {}).pop(row["id"], None)


# (id, login, profile) of a fresh installation; the password is the login.
_USERS = ((2, "glpi", 4), (3, "post-only", 1), (4, "tech", 6), (5, "normal", 2))
_PROFILES = (
    (1, "Self-Service", "helpdesk"),
    (2, "Observer", "central"),
    (3, "Admin", "central"),
    (4, "Super-Admin", "central"),
    (5, "Hotliner", "central"),
    (6, "Technician", "central"),
    (7, "Supervisor", "central"),
    (8, "Read-Only", "central"),
)
_REQUEST_TYPES = ("Helpdesk", "E-Mail", "Phone", "Direct", "Written", "Other")


class Database:
    """Every table, the clock of the server, and who may log in with what.

    ``user_tokens`` maps logins to API tokens. ``utc_offset_minutes`` is the server's time zone:
    all its dates are local (trap 7). ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        release: Release,
        user_tokens: Mapping[str, str],
        *,
        utc_offset_minutes: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.release = release
        self.user_tokens = dict(user_tokens)
        self.utc_offset_minutes = utc_offset_minutes
        self.clock = clock
        # Held while a request changes or reads the tables, never while it "works".
        self.lock = threading.RLock()
        self.restore()

    def restore(self) -> None:
        """The data of a fresh installation."""
        with self.lock:
            self.tables = {name: Table(name, self.release) for name in COLUMNS}
            self._fill()

    def __getitem__(self, itemtype: str) -> Table:
        return self.tables[itemtype]

    def now(self) -> str:
        """The server's local time, as it writes dates."""
        return self.local_time(self.clock())

    def local_time(self, seconds: float) -> str:
        moment = time.gmtime(seconds + 60 * self.utc_offset_minutes)
        return time.strftime("%Y-%m-%d %H:%M:%S", moment)

    def user_named(self, login: str) -> Row | None:
        return next(iter(self["User"].where("login", folded(login))), None)

    def user_with_token(self, token: str) -> Row | None:
        for login, known in self.user_tokens.items():
            if known == token:
                return self.user_named(login)
        return None

    def unlink_documents(self, itemtype: str, number: int) -> None:
        """Takes an item's documents from it. They stay, without it."""
        links = self["Document_Item"]
        for link in links.where("item", (itemtype, number)):
            links.remove(link)

    def sons_of(self, entity: int) -> list[int]:
        """An entity and all below it."""
        found = [entity]
        for row in self["Entity"].rows.values():
            if row["id"] != entity and row["entities_id"] in found:
                found.append(row["id"])
        return found

    def _fill(self) -> None:
        for number, name, interface in _PROFILES:
            self["Profile"].insert({"id": number, "name": name, "interface": interface})
        for name in _REQUEST_TYPES:
            self["RequestType"].insert(
                {
                    "id": None,
                    "name": name,
                    "is_helpdesk_default": int(name == "Helpdesk"),
                    "is_mail_default": int(name == "E-Mail"),
                }
            )
        root = {"id": 0, "name": "Root entity", "completename": "Root entity"}
        self["Entity"].insert(root)["entities_id"] = self.release.root_parent
        for number, login, profile in _USERS:
            user = self["User"].insert({"id": number, "name": login})
            user["list_limit"] = 20
            if login == "normal":
                user["language"] = "en_GB"
            else:
                user["highcontrast_css"] = None
                if "default_central_tab" in user:
                    user["default_central_tab"] = None
            if login in self.user_tokens:
                user["api_token_date"] = self.now()
            self["Profile_User"].insert(
                {"id": number, "users_id": number, "profiles_id": profile, "is_recursive": 1}
            )
        if self.release.system_user:
            self["User"].insert({"id": 6, "name": "glpi-system", "realname": "Support"})


def copies(rows: Iterable[Row]) -> list[Row]:
    """Rows that the caller may keep."""
    return [dict(row) for row in rows]
