"""A webhook of a source whose signing secret cannot be read."""

from __future__ import annotations

from hub.accounts import sources
from hub.inbox import release
from tests.inbox.conftest import SECRET
from tests.inbox.test_listener import body_of
from tests.support.lost_keys import SENTENCE, lose


def test_it_is_held_until_the_secret_can_be_read(door):
    lose(door.source)
    answer = door.knock(body_of("contact_created_full"))
    assert (answer.status_code, answer.json()) == (500, {"error": SENTENCE, "held": True})
    (held,) = release.held()
    assert held.code == "secret_unreadable"
    sources.update(door.source.id, signing_secret=SECRET)
    assert release.release(held.id).outcome == "accepted"
