"""Deliveries, events and records: their pages, and what their buttons do."""

from __future__ import annotations

import re

import pytest

from hub import services
from hub.accounts import hooks
from hub.models import (
    DeliveryState,
)
from hub.sdk import (
    KeepBack,
    NeedsAttention,
    Rejected,
)


def test_the_story_of_a_delivery(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("The subject is empty.", field="subject"))
    desk.work()
    text = desk.page(f"deliveries/{delivery}")
    assert "Conversation started" in text
    assert "The subject is empty." in text
    assert "failed" in text
    listed = desk.page("deliveries?state=dead")
    assert f"/deliveries/{delivery}" in listed
    assert "Replay all of these" in listed


def test_a_failed_delivery_is_replayed(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("Not now."))
    desk.work()
    assert "tried again at once" in desk.does(f"deliveries/{delivery}/replay")
    desk.work()
    assert desk.delivery(delivery).state == DeliveryState.DONE
    assert ("delivery.replayed", {}, {}) in desk.audited()
    desk.does(f"deliveries/{delivery}/replay")
    assert desk.person.post(desk.path(f"deliveries/{delivery}/replay")).status_code == 409


def test_all_of_a_filter_are_replayed(desk):
    wanted = [desk.happens(conversation=str(number), contact=str(number)) for number in (1, 2)]
    desk.crm.troubles += [Rejected("Not now."), Rejected("Not now.")]
    desk.work()
    other = desk.happens(conversation="3", contact="3")
    desk.work()
    assert "2 deliveries of this filter" in desk.page("deliveries?state=dead")
    desk.does("deliveries/replay?state=dead")
    desk.work()
    assert {desk.delivery(one).attempts for one in wanted} == {2}
    assert desk.delivery(other).attempts == 1
    assert desk.audited()[-1] == (
        "deliveries.replayed",
        {},
        {"state": "dead", "deliveries": 2},
    )
    assert desk.person.post(desk.path("deliveries/replay")).status_code == 409


def test_a_delivery_is_skipped_for_a_reason(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(Rejected("Never."))
    desk.work()
    assert desk.person.post(desk.path(f"deliveries/{delivery}/skip")).status_code == 409
    desk.does(f"deliveries/{delivery}/skip", reason="A test.")
    assert desk.delivery(delivery).state == DeliveryState.SKIPPED
    assert ("delivery.skipped", {}, {"reason": "A test."}) in desk.audited()


def test_what_is_kept_back_is_seen_and_need_not_be(desk):
    delivery = desk.happens()
    desk.crm.troubles.append(KeepBack("Nothing is known of the person.", days=2))
    desk.work()
    told = "Kept back until the person is known; skipped after"
    text = desk.page(f"deliveries/{delivery}")
    assert told in text
    assert "Nothing is known of the person." in text
    assert told in desk.page("records?conversation=7")
    assert f"/deliveries/{delivery}" in desk.page("deliveries?state=kept_back")
    assert f"/deliveries/{delivery}" not in desk.page("deliveries?state=waiting")
    assert "state=kept_back" in desk.page("")
    assert f"/deliveries/{delivery}/insist" in text
    desk.does(f"deliveries/{delivery}/insist")
    desk.work()
    assert desk.delivery(delivery).state == DeliveryState.DONE
    assert ("delivery.insisted", {}, {"deliveries": 1}) in desk.audited()
    assert desk.person.post(desk.path(f"deliveries/{delivery}/insist")).status_code == 409


def test_nobody_insists_on_what_its_plugin_cannot_do(desk, monkeypatch):
    delivery = desk.happens()
    desk.crm.troubles.append(KeepBack("Nothing is known of the person.", days=2))
    desk.work()
    (plugin,) = services.of(desk.app).registry.plugins.values()
    monkeypatch.setattr(plugin.processor, "can_insist", False)
    assert f"/deliveries/{delivery}/insist" not in desk.page(f"deliveries/{delivery}")
    answer = desk.person.post(desk.path(f"deliveries/{delivery}/insist"))
    assert answer.status_code == 409
    assert "its plugin must know whose it is" in answer.text
    assert desk.delivery(delivery).state == DeliveryState.WAITING


def test_a_delivery_that_waits_says_why(desk):
    """Never the plugin's old reason: its connection was mended, and paused since."""
    delivery = desk.happens(conversation="7")
    desk.crm.troubles.append(NeedsAttention("The key is wrong."))
    desk.work()
    event = desk.delivery(delivery).event_id
    pages = ("deliveries", f"deliveries/{delivery}", f"events/{event}", "records?conversation=7")
    said = "The connection needs attention. The key is wrong."
    assert [said in desk.page(rest) for rest in pages] == [True] * 4
    with desk.app.app_context():
        hooks.update(desk.world.hook.id, {})
        hooks.pause(desk.world.hook.id, "Moving house.")
    for rest in pages:
        page = desk.page(rest).partition('<ol class="story">')[0]
        assert "The connection is paused. Moving house." in page
        assert "The key is wrong." not in page


def test_names_from_outside_do_no_harm(desk):
    hostile = '"><script>alert(1)</script>'
    delivery = desk.happens(contact=hostile)
    desk.crm.troubles.append(Rejected(hostile))
    desk.work()
    for rest in ("deliveries", f"deliveries/{delivery}", "events", "records?text=script", "queues"):
        assert "<script>alert" not in desk.page(rest), rest


def test_searching(desk):
    for number in range(3):
        desk.happens(conversation=str(number), contact=f"c{number}")
    desk.happens("message.created", conversation="1", contact="c1", message="9")
    desk.crm.troubles += [Rejected("The moon is full."), None, None, None]
    desk.work()

    def count(query: str, page: str = "deliveries") -> int:
        return desk.page(f"{page}?{query}").count("<tr>") - 1

    assert count("") == 4
    assert count("event=message.created") == 1
    assert count("conversation=1") == 2
    assert count("contact=c2") == 1
    assert count("state=dead") == 1
    assert count("text=MOON") == 1
    assert count("text=mars") == -1
    assert count("text=%25") == -1, "a percent sign is a percent sign"
    assert count("begin=2026-01-01T00:00") == 4
    assert count("end=2026-01-01T00:00") == -1
    assert count("event=message.created", "events") == 1
    assert desk.person.get(desk.path("deliveries?state=lost")).status_code == 400
    assert desk.person.get(desk.path("deliveries?begin=yesterday")).status_code == 400


def test_pages_follow_each_other(desk):
    for number in range(60):
        desk.happens(conversation=str(number), contact=str(number))
    seen: list[str] = []
    path: str | None = desk.path("deliveries")
    while path:
        text = desk.person.page(path)
        seen += re.findall(rf"/accounts/{desk.world.account.id}/deliveries/(\d+)\"", text)
        older = re.search(r'href="([^"]+before=\d+)', text)
        path = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 60
    assert seen == sorted(seen, key=int, reverse=True)


def test_records_tell_what_a_conversation_is_called(desk):
    desk.happens(conversation="7", contact="7")
    desk.work()
    assert "No CRM has a record of it yet." in desk.page("records?contact=999")
    assert "Conversations:" in desk.page("records?contact=7")


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("zone", "name"), [("", "UTC"), ("Asia/Tokyo", "JST")])
def test_every_time_says_its_zone(desk, zone, name):
    desk.person.does("/profile", name="Ana", timezone=zone)
    delivery = desk.happens()
    desk.work()
    for path in ("deliveries", "events", f"deliveries/{delivery}"):
        page = desk.page(path)
        times = re.findall(r"\d{1,2}:\d\d:\d\d\s[AP]M([^<\"]*)", page)
        assert times, path
        assert {text.strip()[:3] for text in times} == {name}, path
    for path, said in (("", f"({name})</small>"), ("deliveries", f"From ({name})")):
        assert said in desk.page(path)
