"""Contacts and what else has nothing but a name: categories and entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_glpi.simulator.columns import SUB_ENTITY, Row
from hub_glpi.simulator.errors import Refused
from hub_glpi.simulator.items import ItemType
from hub_glpi.simulator.sessions import Session
from hub_glpi.simulator.texts import added


class Contact(ItemType):
    """No field is unique, none is required (trap 15)."""

    name = "Contact"

    def label(self, row: Row) -> str:
        names = [row["name"], row["firstname"]]
        return " ".join(n for n in names if n) or super().label({**row, "name": ""})


class Category(ItemType):
    name = "ITILCategory"

    def add(self, session: Session, values: Row) -> Row:
        row = super().add(session, values)
        row["completename"] = row["name"]
        return row


class Entity(ItemType):
    """A new entity is outside the scope of the sessions that run (trap 19)."""

    name = "Entity"

    def create(self, session: Session, values: Mapping[str, Any]) -> tuple[Row, str]:
        row, message = super().create(session, values)
        if not self.database.release.numeric_entities:
            # 9.5 shows the remains of the tag that it wanted to make a link of.
            message = added(f' {row["name"]}"&gt;{row["name"]}', self.database.release)
            message = message.replace("&amp;", "&")
        return row, message

    def add(self, _session: Session, values: Row) -> Row:
        parent = self.table.get(int(values.get("entities_id") or 0))
        if parent is None or not values.get("name"):
            raise Refused
        now = self.dates()
        return self.table.insert(
            {
                **SUB_ENTITY,
                **values,
                **now,
                "id": None,
                "entities_id": parent["id"],
                "completename": f"{parent['completename']} > {values['name']}",
                "level": parent["level"] + 1,
                "ancestors_cache": f"[{parent['id']}]",
                "max_closedate": now["date_mod"],
            }
        )

    def sees(self, session: Session, row: Row) -> bool:
        return row["id"] in session.entities
