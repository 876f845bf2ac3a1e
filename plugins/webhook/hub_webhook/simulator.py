"""A receiver of Standard Webhooks in memory: it verifies messages and keeps each one once.

A real receiver also refuses messages that are older than a few minutes. This one does not, because
tests move their clocks.
"""

from __future__ import annotations

import hmac
import json
import threading
from datetime import UTC, datetime
from typing import Any, ClassVar

import click

from hub.sdk.testing.simulator import Request, Response, Simulator
from hub_webhook.signing import headers

SECRET = "whsec_c2ltdWxhdG9yJ3Mgc2VjcmV0LCAzMiBieXRlcw=="  # noqa: S105


class ReceiverSimulator(Simulator):
    """A receiver and the messages that it got. ``Simulator`` adds faults, outages and a log."""

    name: ClassVar[str] = "webhook"

    def __init__(self, **base: Any) -> None:
        super().__init__(**base)
        self._lock = threading.Lock()
        self.restore()

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {"messages": list(self._messages.values()), "repeated": self._repeated}

    def restore(self) -> None:
        self._messages: dict[str, Any] = {}
        self._repeated = 0

    def handle(self, request: Request) -> Response:
        if request.method != "POST":
            return Response.of_json({"error": "post messages here"}, 405)
        if not _is_genuine(request):
            return Response.of_json({"error": "not a genuine message"}, 401)
        message_id = request.headers["webhook-id"]
        with self._lock:
            if message_id in self._messages:
                self._repeated += 1
            elif not message_id.startswith("msg_test_"):
                self._messages[message_id] = json.loads(request.body)
        return Response(204)


def _is_genuine(request: Request) -> bool:
    try:
        timestamp = int(request.headers["webhook-timestamp"])
        given = request.headers["webhook-signature"].split()
        message_id = request.headers["webhook-id"]
    except (KeyError, ValueError):
        return False
    moment = datetime.fromtimestamp(timestamp, UTC)
    wanted = headers(message_id, moment, request.body, [SECRET])["webhook-signature"]
    return any(hmac.compare_digest(signature, wanted) for signature in given)


@click.command("webhook-simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8093, show_default=True, help="Port; 0 takes a free one.")
def webhook_simulator(host: str, port: int) -> None:
    """Receive webhooks in memory until Ctrl-C. Nothing is kept."""
    simulator = ReceiverSimulator(host=host, port=port)
    simulator.run_forever(lambda: click.echo(f"Receiver: {simulator.url}, secret {SECRET}"))
