"""The first page of an account, and its beginning."""

from __future__ import annotations

import re

from hub.models import (
    DeliveryState,
)
from hub.sdk import (
    NeedsAttention,
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
    assert "Events go nowhere yet" in root.page(home)
    root.does(made.location, signing_secret="kept in the vault")
    assert "kept in the vault" not in root.page(made.location)
    path = "/" + webhook.split("/", 3)[3]
    refused = web.test_client().post(path, data=b"{", content_type="application/json")
    assert refused.status_code == 401
    assert "1 request was refused and is held." in root.page(made.location)
