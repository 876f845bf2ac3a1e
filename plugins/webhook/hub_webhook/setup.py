"""Tests the settings: renders a sample event and sends a signed test message."""

from __future__ import annotations

import json
import uuid

from hub.sdk import SetupFailed, SetupResult, SetupService
from hub_webhook import sentences
from hub_webhook.endpoint import Endpoint
from hub_webhook.rendering import Failed, Unreadable, body_of, is_wanted
from hub_webhook.sample import sample_event

TEST_TYPE = "hub.test"


class WebhookSetup(SetupService):
    """The setup of a hook."""

    def run(self) -> SetupResult:
        """See ``hub.sdk.SetupService.run``."""
        endpoint = Endpoint(self.context)
        with self.context.step("settings", sentences.STEP_SETTINGS):
            self._render()
        with self.context.step("sending", sentences.STEP_SENDING):
            self._send(endpoint)
        return SetupResult(sentences.SETUP_DONE.format(host=endpoint.host))

    def _render(self) -> None:
        settings = self.context.settings
        event = sample_event(self.context.clock.now())
        try:
            is_wanted(settings["condition"], event)
        except Unreadable as error:
            why = sentences.BAD_CONDITION.format(why=error)
            raise SetupFailed(why, field="condition") from error
        except Failed as error:
            why = sentences.FAILED_ON_SAMPLE.format(why=error)
            raise SetupFailed(why, field="condition") from error
        try:
            body = body_of(settings["template"], event)
            if settings["content_type"] == "application/json":
                json.loads(body)
        except Unreadable as error:
            why = sentences.BAD_TEMPLATE.format(why=error)
            raise SetupFailed(why, field="template") from error
        except Failed as error:
            why = sentences.FAILED_ON_SAMPLE.format(why=error)
            raise SetupFailed(why, field="template") from error
        except ValueError as error:
            why = sentences.NOT_JSON.format(why=error)
            raise SetupFailed(why, field="template") from error

    def _send(self, endpoint: Endpoint) -> None:
        now = self.context.clock.now().isoformat()
        body = json.dumps({"type": TEST_TYPE, "timestamp": now, "data": {}}).encode()
        status = endpoint.post(f"msg_test_{uuid.uuid4().hex}", body).status_code
        words = {"host": endpoint.host, "status": status}
        if status in (401, 403):
            raise SetupFailed(sentences.SECRET_REFUSED.format(**words), field="secret")
        if status in (404, 410):
            raise SetupFailed(sentences.NOTHING_THERE.format(**words), field="url")
        if 300 <= status < 400:
            raise SetupFailed(sentences.MOVED.format(**words), field="url")
        if not 200 <= status < 300:
            raise SetupFailed(sentences.TEST_REFUSED.format(**words), field="url")
