"""What the hub's conformance kit must know about the webhook plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.sdk.testing.conformance import Conformance
from hub_webhook import plugin
from hub_webhook.simulator import SECRET, ReceiverSimulator


class TestWebhook(Conformance):
    plugin = plugin
    simulator = ReceiverSimulator
    calls = 1
    #: Only the status of an answer has a meaning.
    reads_answers = False

    def settings(self, url: str) -> Mapping[str, Any]:
        return {"url": f"{url}/inbound", "secret": SECRET}

    def remote(self, state: Mapping[str, Any]) -> Any:
        kept = [
            {**message, "data": {k: v for k, v in message["data"].items() if k != "id"}}
            for message in state["messages"]
        ]
        return sorted(json.dumps(message, sort_keys=True) for message in kept)

    def wrong_settings(self, url: str) -> Mapping[str, Mapping[str, Any]]:
        right = self.settings(url)
        return {
            "secret": {**right, "secret": "whsec_" + "AAAA" * 8},
            "condition": {**right, "condition": "contact ="},
            "template": {**right, "template": "{{ nobody.name }}"},
        }
