"""Tickets and their actors (traps 7 to 9 and 11, section Writing)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import Refused
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.query import listed
from hub_glpi.simulator.sessions import Session
from hub_glpi.simulator.texts import added, plain

NEW, ASSIGNED, PLANNED, PENDING, SOLVED, CLOSED = range(1, 7)
REQUESTER, TECHNICIAN, OBSERVER = 1, 2, 3
# Priority by urgency (rows) and impact (columns), both 1 to 5: GLPI's default matrix.
_PRIORITIES = ("11222", "12233", "22344", "23445", "23455")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?\Z")
_LONGEST_NAME = 255
_NAME_FROM_CONTENT = 70


def is_date(text: object) -> bool:
    """Whether GLPI takes this as a date: its own format only (trap 7)."""
    return isinstance(text, str) and bool(_DATE.match(text))


def priority_of(urgency: int, impact: int) -> int:
    return int(_PRIORITIES[urgency - 1][impact - 1])


def seconds_between(first: str | None, last: str | None) -> int:
    if not (is_date(first) and is_date(last)) or first is None or last is None:
        return 0
    passed = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return max(0, int(passed.total_seconds()))


class Ticket(ItemType):
    name = "Ticket"

    def create(self, session: Session, values: Mapping[str, Any]) -> tuple[Row, str]:
        row, _ = super().create(session, values)
        release = self.database.release
        suffix = f" ({row['id']})" if release.message_shows_ticket_id else ""
        return row, added(self.label(row), release) + suffix

    def add(self, session: Session, values: Row) -> Row:
        now = self.database.now()
        date = values.get("date") or now
        if not is_date(date):
            raise Refused("Incorrect value for date field.")
        entity = self.entity_for(session, values)
        technicians = self._technicians(session, values)
        for level in ("urgency", "impact"):
            if level in values and str(values[level]) not in ("1", "2", "3", "4", "5"):
                del values[level]
        fitting = self.table.fitting(values)
        urgency, impact = fitting.get("urgency", 3), fitting.get("impact", 3)
        status = fitting.get("status", NEW) or NEW
        if status == NEW and technicians:
            status = ASSIGNED
        content = str(values.get("content") or "")
        row = self.table.insert(
            {
                "priority": priority_of(urgency, impact),
                **fitting,
                **self.dates(),
                "id": None,
                "name": str(values.get("name") or plain(content)[:_NAME_FROM_CONTENT])[
                    :_LONGEST_NAME
                ],
                "entities_id": entity,
                "date": date,
                "status": status,
                "users_id_recipient": session.user_id,
                "users_id_lastupdater": session.user_id,
                "solvedate": now if status in (SOLVED, CLOSED) else None,
                "closedate": now if status == CLOSED else None,
                "begin_waiting_date": date if status == PENDING else None,
                "is_deleted": 0,
            }
        )
        self._add_actors(session, row, values, technicians)
        if technicians and status != CLOSED:
            self.take_into_account(row, dated="_users_id_assign" in values)
        return row

    def change(self, session: Session, row: Row, values: Row) -> str:
        values = dict(values)
        for made_by_status in ("solvedate", "closedate", "begin_waiting_date"):
            values.pop(made_by_status, None)
        if "date" in values and not is_date(values["date"]):
            raise Refused("Incorrect value for date field.")
        if "name" in values:
            values["name"] = str(values["name"])[:_LONGEST_NAME]
        status = int(self.table.fitting(values).get("status") or row["status"])
        values.pop("status", None)
        if {"urgency", "impact"} & values.keys() and "priority" not in values:
            merged = {**row, **self.table.fitting(values)}
            if merged["urgency"] in range(1, 6) and merged["impact"] in range(1, 6):
                values["priority"] = priority_of(merged["urgency"], merged["impact"])
        self.table.update(row, values)
        self.set_status(row, status)
        self.touch(session, row)
        return ""

    def sees(self, session: Session, row: Row) -> bool:
        if not super().sees(session, row):
            return False
        return session.is_central or session.user_id in self.actors(row, REQUESTER)

    def actors(self, row: Row, kind: int) -> list[int]:
        """The users who are requester, technician or observer of a ticket."""
        found = self.database["Ticket_User"].where("tickets_id", row["id"])
        return [actor["users_id"] for actor in found if actor["type"] == kind]

    def set_status(self, row: Row, status: int) -> None:
        """Status 5 and 6 set their dates, any other clears them; waiting time is counted."""
        before, now = row["status"], self.database.now()
        if status == before:
            return
        if before in (PENDING, SOLVED):
            row["waiting_duration"] += seconds_between(row["begin_waiting_date"], now)
        row["status"] = status
        row["begin_waiting_date"] = now if status in (PENDING, SOLVED) else None
        ended = status in (SOLVED, CLOSED)
        row["solvedate"] = (row["solvedate"] or now) if ended else None
        row["closedate"] = now if status == CLOSED else None
        row["solve_delay_stat"] = seconds_between(row["date"], row["solvedate"])
        row["close_delay_stat"] = seconds_between(row["date"], row["closedate"])

    def reopen(self, row: Row) -> None:
        self.set_status(row, ASSIGNED if self.actors(row, TECHNICIAN) else NEW)

    def touch(self, session: Session, row: Row) -> None:
        """Notes who changed a ticket; a technician's first touch takes it into account."""
        row["date_mod"] = self.database.now()
        row["users_id_lastupdater"] = session.user_id
        if session.is_central:
            self.take_into_account(row)

    def take_into_account(self, row: Row, *, dated: bool = True) -> None:
        now = self.database.now()
        if not row["takeintoaccount_delay_stat"]:
            row["takeintoaccount_delay_stat"] = max(1, seconds_between(row["date"], now))
        if dated and "takeintoaccountdate" in row and row["takeintoaccountdate"] is None:
            row["takeintoaccountdate"] = now

    def purge(self, row: Row) -> None:
        actors = self.database["Ticket_User"]
        for actor in actors.where("tickets_id", row["id"]):
            actors.remove(actor)
        for kind in ("ITILFollowup", "ITILSolution", "Document_Item"):
            table = self.database[kind]
            for related in table.where("item", ("Ticket", row["id"])):
                self.database.unlink_documents(kind, related["id"])
                table.remove(related)
        super().purge(row)

    def _technicians(self, session: Session, values: Row) -> list[int]:
        given = [int(user) for user in listed(values.get("_users_id_assign", [])) if user]
        if given or not self.database.release.author_is_default_technician:
            return given
        return [session.user_id] if session.is_central else []

    def _add_actors(
        self, session: Session, ticket: Row, values: Row, technicians: list[int]
    ) -> None:
        release = self.database.release
        given = values.get("_users_id_requester")
        requesters = listed(given) if given is not None else []
        if not requesters and release.author_is_default_requester:
            requesters = [session.user_id]
        notify = values.get("_users_id_requester_notif") or {}
        for position, user in enumerate(requesters):
            number = int(user or 0)
            email = _at(notify.get("alternative_email"), position, "")
            if number == 0 and not email:
                continue
            if number and not (release.keeps_unknown_requester or self._is_user(number)):
                continue
            self._add_actor(ticket, number, REQUESTER, email, notify, position)
        for user in technicians:
            self._add_actor(ticket, user, TECHNICIAN)
        for user in listed(values.get("_users_id_observer", [])):
            if self._is_user(int(user or 0)):
                self._add_actor(ticket, int(user), OBSERVER)

    def _is_user(self, number: int) -> bool:
        return self.database["User"].get(number) is not None

    def _add_actor(
        self,
        ticket: Row,
        user: int,
        kind: int,
        email: str = "",
        notify: Any = (),
        position: int = 0,
    ) -> None:
        wanted = notify.get("use_notification") if isinstance(notify, dict) else None
        self.database["Ticket_User"].insert(
            {
                "tickets_id": ticket["id"],
                "users_id": user,
                "type": kind,
                "use_notification": _at(wanted, position, 1),
                "alternative_email": email,
            }
        )


def _at(values: Any, position: int, default: Any) -> Any:
    """One of PHP's parallel lists, which may also be a single value."""
    if values is None:
        return default
    items = listed(values)
    return items[position] if position < len(items) else default
