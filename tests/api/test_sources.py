"""Sources and held requests over the API."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.database import in_transaction
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused as Held
from hub.inbox.quarantine import Request


def test_sources_keep_their_secret(owner, account):
    body = {"kind": "chatwoot", "signing_secret": "kept quiet", "base_url": "https://c.example"}
    made = owner.does("POST", f"{account}/sources", body, 201)
    assert made["signing_secret_set"] is True
    assert "/webhooks/chatwoot/" in made["webhook_url"]
    changed = owner.does("PATCH", f"{account}/sources/{made['id']}", {"enabled": False})
    assert changed["enabled"] is False
    everything = str([owner.get(f"{account}/{rest}") for rest in ("sources", "audit")])
    assert "kept quiet" not in everything
    owner.does("DELETE", f"{account}/sources/{made['id']}", status=204)


def test_held_requests(owner, account, web, world):
    with web.app_context():
        request = Request({"content-type": "application/json"}, b"{", datetime.now(UTC))
        refusal = Held(400, "not_json", "It is not JSON.")
        in_transaction(lambda s: quarantine.hold(s, world.source, request, refusal))
    (held,) = owner.get(f"{account}/requests")["items"]
    released = owner.does("POST", f"{account}/requests/{held['id']}/release")
    assert released["outcome"].startswith("still held")
    owner.does("DELETE", f"{account}/requests/{held['id']}", status=204)
    assert owner.get(f"{account}/requests") == {"items": []}
