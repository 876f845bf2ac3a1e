"""What every item type has in common: adding, changing, trashing, and being shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hub_glpi.simulator import texts
from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import Refused
from hub_glpi.simulator.sessions import Session
from hub_glpi.simulator.state import Database, Table

# Columns that name another item; links follow the order of the columns.
_REFERENCES = {
    "entities_id": "Entity",
    "users_id": "User",
    "users_id_lastupdater": "User",
    "users_id_recipient": "User",
    "users_id_editor": "User",
    "users_id_approval": "User",
    "profiles_id": "Profile",
    "requesttypes_id": "RequestType",
    "itilcategories_id": "ITILCategory",
    "tickets_id": "Ticket",
    "documents_id": "Document",
    "calendars_id": "Calendar",
    "tickettemplates_id": "TicketTemplate",
    "changetemplates_id": "ChangeTemplate",
    "problemtemplates_id": "ProblemTemplate",
    "entities_id_software": "Entity",
    "contracts_id_default": "Contract",
    "transfers_id": "Transfer",
    "solutiontypes_id": "SolutionType",
}
_CHILDREN = {
    "User": ("Document_Item",),
    "Contact": ("Document_Item",),
    "Entity": ("Document_Item",),
    "ITILFollowup": ("Document_Item",),
    "ITILSolution": ("Document_Item",),
    "Document": ("Document_Item",),
    "Ticket": (
        "Document_Item",
        "TicketTask",
        "TicketValidation",
        "TicketCost",
        "Problem_Ticket",
        "Change_Ticket",
        "Item_Ticket",
        "ITILSolution",
        "ITILFollowup",
        "Ticket_User",
        "Group_Ticket",
        "Supplier_Ticket",
    ),
}
# GLPI makes these itself, and does not encode what it makes.
_NOT_ENCODED = frozenset({"completename", "ancestors_cache", "sons_cache"})


class ItemType:
    """One item type. Types with rules of their own override ``add`` and ``change``.

    Both are called with the database locked, and refuse by raising ``Refused``.
    """

    name: ClassVar[str] = ""
    says_added: ClassVar[bool] = True
    """Whether adding one is worth a message (not for relations and followups)."""

    def __init__(self, database: Database, name: str = "") -> None:
        self.database = database
        self.itemtype = name or self.name

    @property
    def table(self) -> Table:
        return self.database[self.itemtype]

    # Writing.

    def create(self, session: Session, values: Mapping[str, Any]) -> tuple[Row, str]:
        """Adds an item: the row and the message."""
        if not session.may("c", self.itemtype):
            raise Refused
        row = self.add(session, dict(values))
        message = texts.added(self.label(row), self.database.release) if self.says_added else ""
        return row, message

    def add(self, session: Session, values: Row) -> Row:
        """Adds the row, in the session's entity unless the input names one that it sees."""
        if "entities_id" in self.table.columns:
            values["entities_id"] = self.entity_for(session, values)
        return self.table.insert({**self.dates(), **values, "id": None})

    def update(self, session: Session, row: Row, values: Row) -> str:
        """Changes an item and returns the message."""
        if not (session.may("u", self.itemtype) and self.sees(session, row)):
            raise Refused
        return self.change(session, row, values)

    def change(self, _session: Session, row: Row, values: Row) -> str:
        if self.table.update(row, values) and "date_mod" in row:
            row["date_mod"] = self.database.now()
        return ""

    def delete(self, session: Session, row: Row, *, purge: bool) -> None:
        """Puts an item into the trash, or away for good; types without trash are always purged."""
        if not (session.may("d", self.itemtype) and self.sees(session, row)):
            raise Refused
        if purge or "is_deleted" not in row:
            self.purge(row)
        else:
            self.table.update(row, {"is_deleted": 1, "date_mod": self.database.now()})

    def purge(self, row: Row) -> None:
        self.table.remove(row)

    # Rules.

    def sees(self, session: Session, row: Row) -> bool:
        """Whether the item lies within the session's entities."""
        entity = row.get("entities_id")
        return entity is None or entity in session.entities

    def entity_for(self, session: Session, values: Mapping[str, Any]) -> int:
        given = values.get("entities_id")
        if given is None:
            return session.active_entity
        entity = int(given) if str(given).lstrip("-").isdigit() else -1
        if entity not in session.entities:
            raise Refused
        return entity

    def label(self, row: Row) -> str:
        """What messages call the item."""
        return str(row.get("name") or f"{self.itemtype} - ID {row['id']}")

    def dates(self) -> Row:
        now = self.database.now()
        return {"date_mod": now, "date_creation": now}

    # Reading.

    def shown(self, row: Row, base: str) -> Row:
        """An item as GET gives it: texts encoded, links at the end. ``base`` is the API's URL."""
        release = self.database.release
        item = {
            name: texts.encoded(value, release)
            if isinstance(value, str) and name not in _NOT_ENCODED
            else value
            for name, value in row.items()
        }
        links = [
            {"rel": kind, "href": f"{base}/{kind}/{row[column]}"}
            for column in row
            if (kind := self._reference(row, column))
        ]
        links += [
            {"rel": kind, "href": f"{base}/{self.itemtype}/{row['id']}/{kind}/"}
            for kind in _CHILDREN.get(self.itemtype, ())
        ]
        if links:
            item["links"] = links
        return item

    def _reference(self, row: Row, column: str) -> str | None:
        if column == "items_id":
            return str(row["itemtype"])
        kind = _REFERENCES.get(column)
        # Number 0 is nothing, but for entities, where it is the root.
        if kind and (row[column] or (column == "entities_id" and row[column] is not None)):
            return kind
        return None
