"""What a plugin remembers of its connection, beside links."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text

from hub.accounts import hooks, rotation
from hub.database import in_transaction, reading
from hub.models import Delivery, Link, PluginState
from hub.sdk import Inboxes, Notes, Remote, RetryLater, StateConflict
from hub.sdk import Source as EventSource
from tests.support.crm import make_plugin


class Remembering:
    """A plugin that does with its state what the test says, one deed for each event."""

    def __init__(self, world: Any, crm: Any) -> None:
        self.world, self.crm = world, crm
        self.failures: list[BaseException] = []

    def does(self, *deeds: Any, contact: str = "1") -> None:
        waiting = list(deeds)

        def work(context: Any) -> None:
            try:
                waiting.pop(0)(context)
            except BaseException as error:
                self.failures.append(error)
                raise

        self.crm.on_handle = work
        for _ in deeds:
            self.world.send("contact.created", contact=contact)
        self.world.work()


@pytest.fixture
def plugin(world, crm) -> Remembering:
    return Remembering(world, crm)


def stored() -> dict[str, tuple[Any, int, str]]:
    with reading() as session:
        rows = session.scalars(select(PluginState)).all()
    return {row.key: (row.value, row.version, row.written_by) for row in rows}


def test_what_is_put_there_outlives_the_delivery_and_counts_its_changes(plugin):
    seen: list[Any] = []

    def first(context):
        context.state.put("a", {"n": [1]})
        seen.append(context.state.get("a"))

    plugin.does(
        first,
        lambda context: seen.append(context.state.get("a")),
        lambda context: context.state.put("a", 2),
        lambda context: context.state.remove("b"),
    )
    assert plugin.failures == []
    assert [(entry.value, entry.version) for entry in seen] == [({"n": [1]}, 0), ({"n": [1]}, 1)]
    assert stored() == {"a": (2, 2, "1.0")}
    plugin.does(lambda context: context.state.remove("a"), contact="2")
    assert stored() == {}


def test_of_two_who_change_it_at_once_the_second_is_told(plugin):
    def both(context):
        state = context.state
        state.put("a", 1)
        own = state.get("a")
        assert state.replace("a", 2, seen=own).version == 2
        with pytest.raises(StateConflict):
            state.replace("a", 3, seen=None)
        assert state.replace("b", 1, seen=None).version == 1
        seen = state.get("a")
        in_transaction(lambda s: s.execute(text("UPDATE plugin_state SET version = version + 1")))
        state.replace("a", 4, seen=seen)

    plugin.does(both)
    assert [type(error) for error in plugin.failures] == [StateConflict]
    assert stored()["a"] == (2, 3, "1.0")
    with reading() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert (delivery.state, delivery.failing_since) == ("waiting", None), "nothing failed"


def test_what_is_put_there_stays_when_the_delivery_fails(plugin):
    def fails(context):
        context.state.put("a", 1)
        raise RetryLater("Not now.")

    plugin.does(fails)
    assert stored() == {"a": (1, 1, "1.0")}


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_what_cannot_be_remembered_is_refused_at_once(plugin):
    def refused(context):
        for key, value, error in (
            ("a", object(), TypeError),
            ("a", float("nan"), ValueError),
            ("a", "x" * 70_000, ValueError),
            ("", 1, ValueError),
            ("k" * 201, 1, ValueError),
        ):
            with pytest.raises(error):
                context.state.put(key, value)

    plugin.does(refused)
    assert (plugin.failures, stored()) == ([], {})


def test_it_is_encrypted_and_goes_with_its_connection(plugin, world):
    plugin.does(lambda context: context.state.put("token", "of the remote"))
    with reading() as session:
        raw = session.execute(text("SELECT value FROM plugin_state")).scalar()
    assert "remote" not in raw
    assert rotation.rotate() > 0
    assert stored() == {"token": ("of the remote", 1, "1.0")}
    with reading() as session:
        assert session.execute(text("SELECT value FROM plugin_state")).scalar() != raw
    hooks.remove(world.hook.id)
    assert stored() == {}


def test_notes_that_were_links_move_once_and_are_no_records_any_more(plugin):
    """As plugins kept them before there was a state."""
    seen: list[Any] = []

    def old(context):
        for kind, local_id, data in (
            ("inbox", "1/7", {"name": "Shop"}),
            ("unclaimed", "1/1", {"tickets": ["1/5"]}),
        ):
            context.links.adopt(kind, local_id, Remote(local_id, data=data))

    def new(context):
        seen.append(Inboxes(context).name(EventSource(1, "chatwoot"), "7", None))
        seen.append(Notes(context, "unclaimed").get("1/1"))
        seen.append(Notes(context, "unclaimed").get("1/2"))

    plugin.does(old, new, new)
    assert plugin.failures == []
    assert seen == ["Shop", {"tickets": ["1/5"]}, None] * 2
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Link)) == 0
    assert set(stored()) == {"inbox/1/7", "unclaimed/1/1"}


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_the_plugin_that_reads_it_learns_who_has_written_it(plugin, make_app, crm):
    plugin.does(lambda context: context.state.put("a", 1))
    app = make_app(make_plugin(crm, version="2.0"))
    seen: list[Any] = []
    with app.app_context():
        plugin.world.app = app
        plugin.world.drain = plugin.world.drain.of_app(app, "test-worker")
        plugin.does(lambda context: seen.append(context.state.get("a")), contact="2")
    assert [entry.written_by for entry in seen] == ["1.0"]
