"""``/search/ITEMTYPE``: criteria by option number (traps 2, 3 and 5, section Reading)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hub_glpi.simulator import texts
from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError, FatalError
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.listing import Page, contains, exact_text, order_key
from hub_glpi.simulator.query import is_true, listed
from hub_glpi.simulator.sessions import Session
from hub_glpi.simulator.state import Database
from hub_glpi.simulator.tickets import OBSERVER, REQUESTER, TECHNICIAN

Reader = Callable[[Database, Row], list[Any]]
#: The rows that have exactly this folded text, by an index.
Finder = Callable[[Database, str], list[Row]]


@dataclass(frozen=True, slots=True)
class Option:
    """One search option. ``shown`` gives what the answer shows, ``text`` what ``contains`` looks
    at (else the same), ``ids`` what ``equals`` compares with (else the text): on logins and on
    whatever stands in another table, ``equals`` wants an id (trap 2). ``exact`` spares a search
    for a whole text the walk through all rows."""

    shown: Reader
    text: Reader | None = None
    ids: Reader | None = None
    exact: Finder | None = None


def _column(name: str) -> Option:
    return Option(lambda _, row: [] if row.get(name) is None else [row[name]])


def _emails(database: Database, user: Row) -> list[Any]:
    return [row["email"] for row in database["UserEmail"].where("users_id", user["id"])]


def _email_ids(database: Database, user: Row) -> list[Any]:
    return [row["id"] for row in database["UserEmail"].where("users_id", user["id"])]


def _users_with_email(database: Database, email: str) -> list[Row]:
    users = {row["users_id"] for row in database["UserEmail"].where("email", email)}
    return [user for user in map(database["User"].get, users) if user]


def _users_with_login(database: Database, login: str) -> list[Row]:
    return database["User"].where("login", login)


def _entity_name(database: Database, row: Row) -> list[Any]:
    entity = database["Entity"].get(row["entities_id"])
    return [entity["completename"]] if entity else []


def _actor(kind: int) -> Option:
    def ids(database: Database, ticket: Row) -> list[Any]:
        actors = database["Ticket_User"].where("tickets_id", ticket["id"])
        return [a["users_id"] for a in actors if a["type"] == kind and a["users_id"]]

    def names(database: Database, ticket: Row) -> list[Any]:
        users = (database["User"].get(user) for user in ids(database, ticket))
        return [user["name"] for user in users if user]

    def as_text(database: Database, ticket: Row) -> list[Any]:
        return [str(user) for user in ids(database, ticket)]

    return Option(as_text, names, ids)


def _alternative_emails(database: Database, ticket: Row) -> list[Any]:
    actors = database["Ticket_User"].where("tickets_id", ticket["id"])
    return [actor["alternative_email"] for actor in actors if actor["alternative_email"]]


def _category_name(database: Database, ticket: Row) -> list[Any]:
    category = database["ITILCategory"].get(ticket["itilcategories_id"])
    return [category["completename"]] if category else []


def _own_id(_: Database, row: Row) -> list[Any]:
    return [row["id"]]


def _name(_: Database, row: Row) -> list[Any]:
    return [] if row.get("name") is None else [row["name"]]


_NAME = Option(_name)
_LINK = Option(_name, ids=_own_id)
_ENTITY = Option(_entity_name, ids=lambda _, row: [row["entities_id"]])

OPTIONS: dict[str, dict[str, Option]] = {
    "User": {
        "1": Option(_name, ids=_own_id, exact=_users_with_login),
        "2": _column("id"),
        "34": _column("realname"),
        "9": _column("firstname"),
        "5": Option(_emails, ids=_email_ids, exact=_users_with_email),
        "8": _column("is_active"),
        "6": _column("phone"),
        "10": _column("phone2"),
        "11": _column("mobile"),
        "14": _column("last_login"),
        "16": _column("comment"),
        "19": _column("date_mod"),
        "22": _column("registration_number"),
        "121": _column("date_creation"),
    },
    "Contact": {
        "1": _NAME,
        "2": _column("id"),
        "11": _column("firstname"),
        "3": _column("phone"),
        "4": _column("phone2"),
        "10": _column("mobile"),
        "5": _column("fax"),
        "6": _column("email"),
        "82": _column("address"),
        "83": _column("postcode"),
        "84": _column("town"),
        "85": _column("state"),
        "87": _column("country"),
        "16": _column("comment"),
        "19": _column("date_mod"),
        "70": _column("registration_number"),
        "80": _ENTITY,
        "121": _column("date_creation"),
    },
    "Ticket": {
        "1": _LINK,
        "2": _column("id"),
        "21": _column("content"),
        "12": _column("status"),
        "10": _column("urgency"),
        "11": _column("impact"),
        "3": _column("priority"),
        "14": _column("type"),
        "15": _column("date"),
        "16": _column("closedate"),
        "17": _column("solvedate"),
        "19": _column("date_mod"),
        "7": Option(_category_name, ids=lambda _, row: [row["itilcategories_id"]]),
        "80": _ENTITY,
        "4": _actor(REQUESTER),
        "5": _actor(TECHNICIAN),
        "66": _actor(OBSERVER),
        "34": Option(_alternative_emails),
    },
    "ITILFollowup": {
        "1": _column("content"),
        "3": _column("date"),
        "4": _column("is_private"),
        "6": _column("itemtype"),
    },
}
_ANY_TYPE = {"1": _NAME, "2": _column("id")}

# Option numbers that exist on a real server (search_options.json) and have no value here.
_EMPTY = Option(lambda *_: [])
_WITHOUT_VALUE = {
    "User": """150 28 3 101 102 103 104 105 91 92 93 998 999 13 15 30 31 17 20 21 23 24 80 81 82 79
    77 62 63 60 61 64 99 119 145 146""",
    "Contact": "9 81 8 86 200 201 202 203 204 119 145 146",
    "Ticket": """18 151 82 45 64 142 400 83 101 102 103 104 105 84 85 86 998 999 450 155 158 159 180
    181 182 185 186 187 188 13 131 9 71 22 65 6 8 35 37 30 32 190 191 192 51 52 53 54 55 56 57 58
    59 31 60 61 62 63 25 36 27 29""",
    "ITILFollowup": "2 5 119",
}
for _itemtype, _numbers in _WITHOUT_VALUE.items():
    OPTIONS[_itemtype] |= dict.fromkeys(_numbers.split(), _EMPTY)

# Columns that every answer has, and those it has when none are asked for.
_ALWAYS = {"User": ["1"], "Contact": ["1", "80"], "Ticket": ["2", "1", "80"]}
_BY_DEFAULT = {
    "User": ["34", "5", "6", "3", "8"],
    "Contact": ["8", "3", "6"],
    "Ticket": ["12", "19", "15", "3", "4", "5", "7"],
}

Test = Callable[[Row], bool]


class Search:
    """One search: built from the parameters of a request, then run."""

    def __init__(self, item_type: ItemType, params: dict[str, Any]) -> None:
        self.items = item_type
        self.database = item_type.database
        self.options = OPTIONS.get(item_type.itemtype, _ANY_TYPE)
        self.params = params
        self._asked: list[str] = []
        self._narrowed: dict[str, Callable[[Any], bool]] = {}
        criteria = params.get("criteria", {})
        if not isinstance(criteria, dict):
            raise FatalError
        self._test = self._all_of(listed(criteria))
        self._candidates = self._by_index(listed(criteria))

    def run(self, session: Session) -> tuple[dict[str, Any], Page]:
        """The body of the answer, and its page for status and headers."""
        itemtype = self.items.itemtype
        deleted = is_true(self.params.get("is_deleted", 0))
        rows = [
            row
            for row in self._rows()
            if bool(row.get("is_deleted", 0)) == deleted
            and self._test(row)
            and self.items.sees(session, row)
        ]
        sort = str(self.params.get("sort", "1"))
        order = "DESC" if str(self.params.get("order")).upper() == "DESC" else "ASC"
        by = self._option(sort).shown
        rows.sort(
            key=lambda row: order_key(next(iter(by(self.database, row)), None)),
            reverse=order == "DESC",
        )
        page = Page(rows, self.params, itemtype)
        as_list = self.database.release.sort_as_list
        body: dict[str, Any] = {
            "totalcount": page.total,
            "count": len(page.items),
            "sort": [sort] if as_list else sort,
            "order": [order] if as_list else order,
        }
        if page.items:
            columns = self._columns()
            body["data"] = [self._shown(row, columns) for row in page.items]
        body["content-range"] = page.range
        return body, page

    def _option(self, number: str) -> Option:
        option = self.options.get(number)
        if option is None:
            raise ApiError(400, "ERROR", "Bad field ID in search criteria", documented=True)
        return option

    def _rows(self) -> Iterable[Row]:
        """The rows that may fit, by id."""
        rows = self.items.table.rows
        if self._candidates is None:
            return rows.values()
        return [rows[number] for number in sorted(self._candidates)]

    # Criteria.

    def _by_index(self, criteria: list[Any]) -> set[int] | None:
        """The ids of the rows that may fit, if each criterion is for a whole text that has an
        index, and they are alternatives."""
        found: set[int] = set()
        for position, criterion in enumerate(criteria):
            if position and criterion.get("link") != "OR":
                return None
            option = self.options.get(str(criterion.get("field", "")))
            text = exact_text(str(criterion.get("value", "")))
            if option is None or option.exact is None or text is None:
                return None
            if criterion.get("searchtype", "contains") != "contains":
                return None
            found.update(row["id"] for row in option.exact(self.database, text))
        return found if criteria else None

    def _all_of(self, criteria: list[Any]) -> Test:
        """Criteria with their links; AND binds closer than OR, as in SQL."""
        alternatives: list[list[Test]] = [[]]
        for position, criterion in enumerate(criteria):
            if not isinstance(criterion, dict):
                raise FatalError
            link = str(criterion.get("link", "AND")).upper() if position else "AND"
            if link.startswith("OR"):
                alternatives.append([])
            test = self._one(criterion)
            alternatives[-1].append(_negated(test) if link.endswith("NOT") else test)
        return lambda row: any(all(test(row) for test in tests) for tests in alternatives)

    def _one(self, criterion: dict[str, Any]) -> Test:
        if "criteria" in criterion:
            return self._all_of(listed(criterion["criteria"]))
        number, value = str(criterion.get("field", "")), str(criterion.get("value", ""))
        option = self._option(number)
        self._asked.append(number)
        kind = str(criterion.get("searchtype", "contains"))
        if kind in ("notcontains", "notequals"):
            return _negated(self._positive(number, option, kind.removeprefix("not"), value))
        return self._positive(number, option, kind, value)

    def _positive(self, number: str, option: Option, kind: str, value: str) -> Test:
        database = self.database
        read = option.text or option.shown
        if kind == "equals":
            if option.ids is not None:
                ids = option.ids
                return lambda row: value in map(str, ids(database, row))
            wanted = texts.folded(value)
            return lambda row: any(
                texts.folded(str(found)) == wanted for found in read(database, row)
            )
        if kind in ("lessthan", "morethan"):
            return _compared(lambda row: read(database, row), value, more=kind == "morethan")
        # An unknown kind of search is one for text.
        matches = contains(value)
        if number == "2" and value.isdigit():
            return lambda row: str(row["id"]) == value
        if value == "":
            return matches
        if option.text is None:
            self._narrowed[number] = matches
        return lambda row: any(matches(found) for found in read(database, row))

    # The answer.

    def _columns(self) -> list[str]:
        itemtype = self.items.itemtype
        forced = [str(number) for number in listed(self.params.get("forcedisplay", []))]
        columns = [
            *_ALWAYS.get(itemtype, ["1"]),
            *(forced or _BY_DEFAULT.get(itemtype, [])),
            *self._asked,
        ]
        if len(self.database["Entity"].rows) < 2:
            columns = [number for number in columns if number != "80"]
        return [number for number in dict.fromkeys(columns) if number in self.options]

    def _shown(self, row: Row, columns: list[str]) -> dict[str, Any]:
        return {number: self._cell(row, number) for number in columns}

    def _cell(self, row: Row, number: str) -> Any:
        """None, a value or several; of several those that were searched for."""
        values = self.options[number].shown(self.database, row)
        if len(values) > 1 and number in self._narrowed:
            values = [v for v in values if self._narrowed[number](v)] or values
        if number != "80":
            release = self.database.release
            values = [texts.encoded(v, release) if isinstance(v, str) else v for v in values]
        return values[0] if len(values) == 1 else values or None


def _negated(test: Test) -> Test:
    return lambda row: not test(row)


def _compared(read: Callable[[Row], list[Any]], value: str, *, more: bool) -> Test:
    """Numbers as numbers, dates as texts, which sort alike."""

    def test(row: Row) -> bool:
        for found in read(row):
            if isinstance(found, int) and value.lstrip("-").isdigit():
                return found > int(value) if more else found < int(value)
            return str(found) > value if more else str(found) < value
        return False

    return test
