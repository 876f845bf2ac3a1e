"""The context that the kit offers does as the hub's."""

from __future__ import annotations

from hub.kit import stories
from hub.kit.context import MemoryContext
from hub.sdk import Done, Event
from hub.sdk.events import MESSAGE_CREATED
from tests.support.crm import Crm, make_plugin


def test_a_plugin_may_use_up_the_list_of_a_batch(monkeypatch) -> None:
    plugin = make_plugin(Crm(), batches={MESSAGE_CREATED: 50})

    def take_out(_: object, events: list[Event]) -> list[Done]:
        return [Done(str(events.pop(0).id)) for _ in range(len(events))]

    monkeypatch.setattr(plugin.processor, "handle_message_created_batch", take_out)
    (event,) = [e for e in stories.customer(plugin.events) if e.name == MESSAGE_CREATED][:1]
    outcomes = MemoryContext(plugin, {"key": "secret"}).deliver_batch([event, event])
    assert [outcome.sentence for outcome in outcomes] == [str(event.id)] * 2
