"""A plugin that is uninstalled: its hooks say so, and what they are owed waits for it."""

from __future__ import annotations

from sqlalchemy import select

from hub import services
from hub.database import reading
from hub.history.status import overview
from hub.models import Delivery
from tests.support.crm import Crm, World, make_plugin


def states() -> list[str]:
    with reading() as session:
        return [s.value for s in session.scalars(select(Delivery.state).order_by(Delivery.id))]


def test_deliveries_of_a_missing_plugin_wait_until_it_is_back(make_app):
    crm = Crm()
    with make_app(make_plugin(crm)).app_context() as context:
        world = World(context.app)
        world.send("contact.created")
        world.work()
    without = make_app()
    with without.app_context():
        world.app, world.drain = without, world.drain.of_app(without, "test-worker")
        world.send("contact.created", contact="2")
        world.work()
        assert states() == ["done", "pending"]
        (hook,) = overview()["hooks"]
        assert hook["status"] == "plugin_missing"
    back = make_app(make_plugin(crm))
    with back.app_context():
        world.app, world.drain = back, world.drain.of_app(back, "test-worker")
        world.ready = type(world.ready)(services.of(back).redis)
        type(world.sweeper)(back).sweep()
        world.work()
        assert states() == ["done", "done"]
    assert crm.handled == [("contact.created", "1"), ("contact.created", "2")]
