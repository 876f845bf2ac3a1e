"""Pages when stored secrets cannot be read."""

from __future__ import annotations

import pytest

from hub.accounts import sources
from tests.support.lost_keys import SENTENCE, lose


@pytest.fixture
def lost(desk, web):
    desk.happens()
    desk.does("sources/new", kind="chatwoot", base_url="https://chat.example.com")
    with web.app_context():
        lose(desk.world.hook)
        for source in sources.listed():
            lose(source)
    return desk


@pytest.mark.parametrize("page", ["hooks", "hooks/{hook}", "sources", "sources/1", "sources/2"])
def test_a_page_says_that_secrets_cannot_be_read(lost, page):
    assert SENTENCE in lost.page(page.format(hook=lost.world.hook.id))


@pytest.mark.parametrize(
    "page",
    ["", "deliveries", "events", "records", "quarantine", "queues", "catalogue"],
)
def test_a_page_that_needs_no_secrets_is_shown(lost, page):
    assert lost.world.account.name in lost.page(page)


def test_an_event_and_its_delivery_are_shown(lost):
    delivery = lost.delivery(1)
    lost.page(f"events/{delivery.event_id}")
    lost.page(f"deliveries/{delivery.id}")


def test_the_form_takes_secrets_anew(lost):
    path = f"hooks/{lost.world.hook.id}"
    assert SENTENCE in lost.does(f"{path}/test")
    assert SENTENCE in lost.does(f"{path}/edit", **{"s-name": "b"})
    assert "It works." in lost.does(f"{path}/edit", **{"s-name": "b", "s-key": "entered anew"})
    assert SENTENCE not in lost.page(path)
