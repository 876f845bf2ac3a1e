"""The first page of an account, and its beginning."""

from __future__ import annotations

import re

from hub.accounts import hooks
from hub.models import (
    DeliveryState,
)
from hub.sdk import (
    NeedsAttention,
    Rejected,
)
from tests.support.people import administrator


def test_home_says_what_needs_attention_first(desk, web):
    assert "No worker is alive" in desk.page()
    delivery = desk.happens()
    desk.crm.troubles.append(NeedsAttention("The token is wrong.", field="key"))
    desk.work()
    text = desk.page()
    assert "needs attention" in text
    assert "The token is wrong." in text
    assert desk.delivery(delivery).state == DeliveryState.PENDING


def test_a_new_account_is_led_from_step_to_step(web):
    root = administrator(web)
    home = root.post("/accounts/new", name="Acme").location
    assert "No events can arrive yet: connect Chatwoot." in root.page(home)
    made = root.post(f"{home}sources/new", kind="chatwoot", base_url="https://chat.example.com")
    page = root.page(made.location)
    assert "Waiting for the first event" in page
    webhook = re.search(r'value="(http[^"]+/webhooks/chatwoot/[^"]+)"', page)[1]
    assert "Events are not delivered anywhere yet" in root.page(home)
    root.does(made.location, signing_secret="kept in the vault")
    assert "kept in the vault" not in root.page(made.location)
    path = "/" + webhook.split("/", 3)[3]
    refused = web.test_client().post(path, data=b"{", content_type="application/json")
    assert refused.status_code == 401
    assert "1 request was refused and is held." in root.page(made.location)


def test_home_lists_what_needs_a_person_by_its_cause(desk, web):
    assert "What needs you" not in desk.page()
    failed = []
    for number in range(3):
        desk.crm.troubles.append(Rejected("The subject is empty.", field="subject"))
        failed.append(desk.happens(conversation=str(number), contact=str(number)))
        desk.work()
    hook = desk.world.hook.id
    page = desk.page()
    assert page.count("The subject is empty. (subject)") == 1, "three deliveries, one cause"
    assert f"/deliveries/{failed[-1]}" in page
    assert re.search(rf'deliveries\?hook={hook}&amp;state=dead">3</a>', page)
    desk.happens(conversation="9", contact="9")
    with web.app_context():
        hooks.pause(hook, "We move house.")
    assert "The connection is paused. We move house." in desk.page()
