"""Planted secrets are nowhere but where they are encrypted."""

from __future__ import annotations

import json

from hub_glpi.simulator import GlpiSimulator

from hub.sdk.testing import payloads
from hub.sdk.testing.simulator import Fault
from tests.support.installation import SECRET, RunningHub

APP_TOKEN = "planted-app-token-4711"
USER_TOKEN = "planted-user-token-4712"
PUBSUB = "planted-pubsub-token-4713"


def test_no_secret_is_stored_logged_traced_or_queued_in_clear(tmp_path):
    with (
        GlpiSimulator(app_token=APP_TOKEN, user_token=USER_TOKEN) as glpi,
        RunningHub(tmp_path) as hub,
    ):
        hub.glpi_url = glpi.url
        hub.start()
        hub.connect(app_token=APP_TOKEN, user_token=USER_TOKEN)
        # Trouble makes traces and log lines: answers that repeat what they were asked.
        glpi.add_fault(
            Fault("status", status=500, body=f"bad token {USER_TOKEN}", times=2),
            Fault("status", status=400, path="/User", nth=2, body=json.dumps(["ERROR", APP_TOKEN])),
        )
        for name in ("contact_created_full", "conversation_created_widget_with_message"):
            data = payloads.load(name)
            if "contact_inbox" in data:
                data["contact_inbox"]["pubsub_token"] = PUBSUB
            assert hub.send(json.dumps(data).encode()).status_code == 202
        assert hub.send(b'{"event": "contact_created"}').status_code == 400
        hub.wait()
        sessions = {session["token"] for session in glpi.open_sessions()}
        assert sessions
        stories = [
            hub.run("deliveries", "show", str(row["id"])) for row in hub.run("deliveries", "list")
        ]
        shown = json.dumps([stories, hub.run("hooks", "list"), hub.run("hooks", "show", "1")])
        hub.stop()
    assert "HTTP 500" in shown, "the traces hold the trouble"
    places = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "hub.db" for path in places)
    assert any(path.name.startswith("appendonly") for path in places), "Redis keeps its file"
    places[tmp_path / "shown by the command line"] = shown.encode()
    secrets = {APP_TOKEN, USER_TOKEN, PUBSUB, SECRET, hub.webhook.rpartition("/")[2]} | sessions
    for secret in secrets:
        found = [str(path) for path, content in places.items() if secret.encode() in content]
        assert found == [], f"{secret} stands in {found}"
