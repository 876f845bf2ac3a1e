"""Events, deliveries and links over the API."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.clock import written
from hub.sdk import KeepBack, Rejected, RetryLater


def happens(web, world, **what) -> int:
    with web.app_context():
        (event_id,) = world.send("conversation.created", **{"conversation": "7", **what})
        world.sweeper.sweep()
        world.work()
    return event_id


def test_events_and_deliveries(owner, account, web, world, crm):
    crm.troubles = [Rejected("The subject is empty.")]
    event_id = happens(web, world)
    event = owner.get(f"{account}/events/{event_id}")
    assert event["payload"] == {"raw": True}
    (listed,) = owner.get(f"{account}/deliveries?state=dead&text=SUBJECT")["items"]
    assert listed["event"]["conversation_id"] == "7"
    path = f"{account}/deliveries/{listed['id']}"
    assert owner.get(path)["tries"][0]["outcome"] == "rejected"
    counted = owner.does("POST", f"{account}/deliveries/replay?state=dead&dry_run=true")
    assert counted == {"deliveries": 1}
    assert owner.get(path)["state"] == "dead"
    assert owner.does("POST", f"{account}/deliveries/replay?state=dead") == {"deliveries": 1}
    assert owner.call("POST", f"{path}/replay").status_code == 409
    owner.does("POST", f"{path}/skip", {"reason": "A test."}, 204)
    assert owner.get(path)["state"] == "skipped"
    assert owner.get(f"{account}/status")["dead"] == 0
    actions = [entry["action"] for entry in owner.get(f"{account}/audit")["items"]]
    assert actions[:2] == ["delivery.skipped", "deliveries.replayed"]


def test_a_delivery_that_waits_says_why(owner, account, web, world, crm):
    crm.troubles = [RetryLater("The CRM is down.", delay=600)]
    happens(web, world)
    (listed,) = owner.get(f"{account}/deliveries?state=waiting")["items"]
    standing = listed["standing"]
    assert (standing["cause"], standing["why"]) == ("backoff", "The CRM is down.")
    moment = datetime.fromisoformat(standing["next_try"])
    assert listed["reason"] == f"Next try: {written(moment, UTC)}. The CRM is down."
    assert owner.get(f"{account}/deliveries/{listed['id']}")["standing"] == standing
    owner.does("POST", f"{account}/deliveries/{listed['id']}/skip", {"reason": "A test."}, 204)
    assert "standing" not in owner.get(f"{account}/deliveries/{listed['id']}")


def test_links_tell_what_a_conversation_is_called(owner, account, web, world):
    happens(web, world)
    assert owner.call("GET", f"{account}/links").status_code == 409
    assert owner.get(f"{account}/links?conversation_id=7") == {"items": []}


def test_pages(owner, account, web, world):
    for number in range(7):
        happens(web, world, conversation=str(number), contact=str(number))
    seen, cursor = [], ""
    while True:
        page = owner.get(f"{account}/deliveries?limit=3{cursor}")
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == 7


def test_what_is_kept_back_is_counted_and_need_not_be(web, world, crm, owner, account):
    crm.troubles.append(KeepBack("Nothing is known of the person."))
    happens(web, world)
    (kept,) = owner.get(f"{account}/deliveries?state=kept_back")["items"]
    assert kept["state"] == "waiting"
    assert kept["kept_until"] == kept["due_at"]
    standing = owner.get(f"{account}/status")
    assert (standing["kept_back"], standing["waiting"]) == (1, 0)
    assert standing["oldest_waiting_seconds"] is None
    assert (standing["hooks"][0]["kept_back"], standing["hooks"][0]["open"]) == (1, 0)
    path = f"{account}/deliveries/{kept['id']}"
    assert owner.does("POST", f"{path}/insist") == {"deliveries": 1}
    assert owner.call("POST", f"{path}/insist").status_code == 409
    assert owner.get(path)["kept_until"] is None
    entry = owner.get(f"{account}/audit")["items"][0]
    assert (entry["action"], entry["subject_id"]) == ("delivery.insisted", kept["id"])
    assert entry["after"] == {"deliveries": 1}
    assert 'hub_deliveries{state="kept_back"} 0' in web.test_client().get("/metrics").text
