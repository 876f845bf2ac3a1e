"""What is said in a ticket: followups and solutions."""

from __future__ import annotations

import re

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import FatalError, Refused
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.sessions import Session
from hub_glpi.simulator.state import Database
from hub_glpi.simulator.tickets import (
    CLOSED,
    PENDING,
    REQUESTER,
    SOLVED,
    TECHNICIAN,
    Ticket,
    is_date,
)

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_LEFT, _RIGHT = 1, 4
# States of a solution.
_WAITING, _REFUSED = 2, 4


class TicketPart(ItemType):
    """An item that belongs to a ticket, by ``itemtype`` and ``items_id``."""

    def __init__(self, database: Database, tickets: Ticket) -> None:
        super().__init__(database)
        self.tickets = tickets

    def ticket_of(self, session: Session, values: Row) -> Row:
        """The ticket, trashed ones too; refused without one, fatal for an unknown type."""
        itemtype = values.get("itemtype")
        if itemtype and itemtype not in self.database.tables:
            raise FatalError
        number = str(values.get("items_id") or 0)
        ticket = self.database["Ticket"].get(int(number)) if number.isdigit() else None
        if itemtype != "Ticket" or ticket is None or not self.tickets.sees(session, ticket):
            raise Refused
        return ticket

    def purge(self, row: Row) -> None:
        self.database.unlink_documents(self.itemtype, row["id"])
        super().purge(row)

    def position_of(self, author: int, ticket: Row) -> int:
        """The side of the timeline: assigned technicians speak from the right."""
        return _RIGHT if author in self.tickets.actors(ticket, TECHNICIAN) else _LEFT

    def sees(self, session: Session, row: Row) -> bool:
        ticket = self.database["Ticket"].get(row["items_id"])
        return ticket is not None and self.tickets.sees(session, ticket)


class Followup(TicketPart):
    name = "ITILFollowup"
    says_added = False

    def add(self, session: Session, values: Row) -> Row:
        ticket = self.ticket_of(session, values)
        if not values.get("content"):
            raise Refused("You can't add a followup without description")
        author = values.get("users_id", session.user_id)
        row = self.table.insert(
            {
                **values,
                **self.dates(),
                "id": None,
                "date": self._date(values),
                "users_id": author,
                "timeline_position": self.position_of(int(author), ticket),
            }
        )
        if self._reopens(session, ticket, values):
            self._refuse_solutions(session, ticket)
            self.tickets.reopen(ticket)
        self.tickets.touch(session, ticket)
        return row

    def change(self, session: Session, row: Row, values: Row) -> str:
        message = super().change(session, row, values)
        self.table.update(row, {"users_id_editor": session.user_id})
        return message

    def _refuse_solutions(self, session: Session, ticket: Row) -> None:
        refused = {"date_approval": self.database.now(), "users_id_approval": session.user_id}
        solutions = self.database["ITILSolution"]
        for solution in solutions.where("item", ("Ticket", ticket["id"])):
            if solution["status"] == _WAITING:
                solutions.update(solution, {**refused, "status": _REFUSED})

    def _date(self, values: Row) -> str:
        date = values.get("date") or self.database.now()
        if is_date(date):
            return str(date)
        iso = _ISO.match(str(date))
        if iso and self.database.release.iso_followup_dates:
            return f"{iso[1]} {iso[2]}"
        raise Refused(
            f"Incorrect datetime value: '{date}' for column "
            "`glpi`.`glpi_itilfollowups`.`date` at row 1"
        )

    def _reopens(self, session: Session, ticket: Row, values: Row) -> bool:
        if values.get("add_reopen") and ticket["status"] in (SOLVED, CLOSED):
            return True
        return (
            self.database.release.requester_reopens
            and ticket["status"] in (SOLVED, PENDING)
            and session.user_id in self.tickets.actors(ticket, REQUESTER)
            and session.user_id not in self.tickets.actors(ticket, TECHNICIAN)
        )


class Solution(TicketPart):
    name = "ITILSolution"

    def add(self, session: Session, values: Row) -> Row:
        ticket = self.ticket_of(session, values)
        if ticket["status"] in (SOLVED, CLOSED):
            before = "" if self.database.release.numeric_entities else " "
            raise Refused(
                f"The item is already solved, did anyone pushed a solution before you{before}?"
            )
        row = self.table.insert({**values, **self.dates(), "id": None, "users_id": session.user_id})
        self.tickets.set_status(ticket, SOLVED)
        self.tickets.touch(session, ticket)
        return row

    def label(self, row: Row) -> str:
        return str(row["id"])
