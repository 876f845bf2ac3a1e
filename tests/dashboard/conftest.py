"""An account at work, and its owner at the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from hub.accounts import hooks
from hub.database import reading
from hub.models import (
    AuditEntry,
    Delivery,
    Hook,
    Role,
)
from tests.support.crm import Crm, World
from tests.support.people import Person, administrator, member


@dataclass
class Desk:
    """An account at work, and its owner at the dashboard."""

    app: Flask
    crm: Crm
    world: World
    person: Person

    def path(self, rest: str = "") -> str:
        return f"/accounts/{self.world.account.id}/{rest}"

    def page(self, rest: str = "") -> str:
        return self.person.page(self.path(rest))

    def does(self, rest: str, **fields: object) -> str:
        return self.person.does(self.path(rest), **fields)

    def happens(self, name: str = "conversation.created", **what: str) -> int:
        """An event; returns its delivery's id."""
        with self.app.app_context():
            (event_id,) = self.world.send(name, **{"conversation": "7", **what})
            with reading() as session:
                return session.scalar(select(Delivery.id).where(Delivery.event_id == event_id))

    def work(self) -> None:
        with self.app.app_context():
            self.world.sweeper.sweep()
            self.world.work()

    def delivery(self, delivery_id: int) -> Delivery:
        with self.app.app_context(), reading() as session:
            return session.get_one(Delivery, delivery_id)

    def hook(self) -> Hook:
        with self.app.app_context():
            return hooks.find(self.world.hook.id)

    def audited(self) -> list[tuple[str, dict, dict]]:
        with self.app.app_context(), reading() as session:
            rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(row.action, row.before, row.after) for row in rows if row.account_id]


@pytest.fixture
def desk(web: Flask, crm: Crm) -> Desk:
    with web.app_context():
        world = World(web)
    administrator(web)
    return Desk(web, crm, world, member(web, world.account.id, Role.OWNER))
