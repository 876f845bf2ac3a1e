"""The state that the kit offers does as the hub's."""

from __future__ import annotations

import pytest

from hub.kit.context import (
    MemoryContext,
    MemoryStore,
)
from hub.sdk import Notes, Remote, StateConflict


def test_what_is_put_there_is_written_with_the_next_commit():
    store = MemoryStore()
    context = MemoryContext(store=store)
    context.state.put("a", {"n": 1})
    assert context.state.get("a").version == 0
    assert MemoryContext(store=store).state.get("a") is None
    context.links.flush()
    assert MemoryContext(store=store).state.get("a").value == {"n": 1}
    context.state.remove("a")
    context.links.flush()
    assert store.state.entries == {}


def test_of_two_who_change_it_at_once_the_second_is_told():
    store = MemoryStore()
    one, two = MemoryContext(store=store).state, MemoryContext(store=store).state
    one.put("a", 1)
    own = one.get("a")
    assert one.replace("a", 2, seen=own).version == 2
    seen = two.get("a")
    one.replace("a", 3, seen=one.get("a"))
    with pytest.raises(StateConflict):
        two.replace("a", 4, seen=seen)
    with pytest.raises(StateConflict):
        two.replace("a", 4, seen=None)
    assert two.get("a").value == 3


def test_a_note_that_was_a_link_moves_whole():
    store = MemoryStore()
    context = MemoryContext(store=store)
    context.links.adopt("unclaimed", "1/1", Remote("1/1", data={"tickets": ["1/5"]}))
    context.links.flush()
    assert Notes(context, "unclaimed").get("1/1") == {"tickets": ["1/5"]}
    assert store.links.links == {}
    assert Notes(MemoryContext(store=store), "unclaimed").get("1/1") == {"tickets": ["1/5"]}
