"""What the tests of this plugin share: a GLPI to talk to, events to send, and a look at GLPI.

``glpi`` is the simulator, or with ``-m live`` a real server named by ``HUB_LIVE_GLPI_URL``,
``HUB_LIVE_GLPI_APP_TOKEN`` and ``HUB_LIVE_GLPI_USER_TOKEN``. Tests that use it see only what the
REST API shows, and purge what they made.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hub_glpi.api import Glpi
from hub_glpi.setup import api_address
from hub_glpi.simulator import GlpiSimulator

from plugins.glpi.tests.support import Chatwoot, Hub, Observer, Server
from plugins.glpi.tests.visitors import SUPER_ADMIN

LIVE_URL = "HUB_LIVE_GLPI_URL"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a live server its tests are deselected, not skipped."""
    if os.environ.get(LIVE_URL):
        return
    live = [item for item in items if item.get_closest_marker("live")]
    if live:
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if not item.get_closest_marker("live")]


@pytest.fixture
def files() -> Iterator[str]:
    """A server of files, one of which is a redirect and one missing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/blob/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/blob"))
                self.end_headers()
                return
            size = 3 * 1024 * 1024 if "large" in self.path else 11
            self.send_response(404 if "missing" in self.path else 200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(b"x" * size)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def chatwoot() -> Chatwoot:
    return Chatwoot()


@pytest.fixture
def simulator() -> Iterator[GlpiSimulator]:
    with GlpiSimulator(utc_offset_minutes=120) as running:
        yield running


@pytest.fixture
def simulated(simulator: GlpiSimulator) -> Server:
    return Server(simulator.api_url, simulator.app_token, simulator.user_tokens["glpi"], simulator)


@pytest.fixture(params=["simulator", pytest.param("live", marks=pytest.mark.live)])
def glpi(request: pytest.FixtureRequest) -> Server:
    if request.param == "simulator":
        server: Server = request.getfixturevalue("simulated")
        return server
    return Server(
        api_address(os.environ[LIVE_URL]),
        os.environ.get("HUB_LIVE_GLPI_APP_TOKEN", ""),
        os.environ["HUB_LIVE_GLPI_USER_TOKEN"],
    )


@pytest.fixture
def see(glpi: Server, chatwoot: Chatwoot) -> Iterator[Observer]:
    """Looks at GLPI, and in the end purges everything that bears the test's mark."""
    observer = Observer(glpi)
    yield observer
    for ticket in observer.tickets_containing(chatwoot.mark):
        observer.purge(f"Ticket/{ticket}")
    pattern = f"{chatwoot.mark}"
    for itemtype, number in (("User", 5), ("User", 1), ("Contact", 6)):
        for found in observer._search(itemtype, number, pattern):
            observer.purge(f"{itemtype}/{found}")
    observer.close()


@pytest.fixture
def make_hub(glpi: Server, chatwoot: Chatwoot, see: Observer) -> Iterator[Callable[..., Hub]]:
    made: list[Hub] = []

    def make(*, with_setup: bool = True, **settings: Any) -> Hub:
        hub = Hub(glpi, chatwoot.clock, **settings)
        if with_setup:
            hub.setup()
        made.append(hub)
        return hub

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub: Callable[..., Hub]) -> Hub:
    return make_hub()


@pytest.fixture
def make_simulated_hub(simulated: Server, chatwoot: Chatwoot) -> Callable[..., Hub]:
    """Hubs for tests that only the simulator can serve."""

    def make(*, with_setup: bool = True, **settings: Any) -> Hub:
        hub = Hub(simulated, chatwoot.clock, **settings)
        if with_setup:
            hub.setup()
        return hub

    return make


@pytest.fixture
def simulated_hub(make_simulated_hub: Callable[..., Hub]) -> Hub:
    return make_simulated_hub()


@pytest.fixture
def contact(chatwoot: Any) -> Any:
    return chatwoot.contact()


@pytest.fixture
def opened(chatwoot: Any, hub: Any, contact: Any) -> Any:
    """An open conversation with its ticket, made from the customer's first message."""
    conversation = chatwoot.conversation()
    first = chatwoot.message("My printer burns.")
    event = chatwoot.event(
        "message.created", contact=contact, conversation=conversation, message=first, version=100
    )
    hub.done(event)
    return conversation


@pytest.fixture
def api(simulated_hub: Any) -> Any:
    with Glpi.for_delivery(simulated_hub.worker()) as glpi:
        yield glpi


@pytest.fixture
def people(simulator: GlpiSimulator) -> Callable[[], Any]:
    """All that GLPI has about people."""

    def look() -> Any:
        users = [
            {name: user[name] for name in ("id", "name", "firstname", "realname", "phone")}
            for user in simulator.users()
        ]
        emails = [
            (row["users_id"], row["email"], row["is_default"])
            for row in simulator.rows("UserEmail")
        ]
        return users, emails

    return look


@pytest.fixture
def boss(api: Any, chatwoot: Any) -> int:
    """An administrator, without a number."""
    values = {"name": "boss", "firstname": "Bea", "realname": "Boss"}
    return int(
        api.users.create(
            {
                **values,
                "_useremails": [chatwoot.email("boss")],
                "_profiles_id": SUPER_ADMIN,
                "_entities_id": 0,
            }
        )
    )


@pytest.fixture
def parts(chatwoot: Any) -> dict[str, Any]:
    return {"contact": chatwoot.contact(), "conversation": chatwoot.conversation()}


@pytest.fixture
def start(chatwoot: Any, make_simulated_hub: Any, parts: Any) -> Any:
    """A hub with these settings and an open conversation."""

    def starting(**settings: Any) -> Any:
        hub = make_simulated_hub(**settings)
        message = chatwoot.message("First.")
        hub.done(chatwoot.event("message.created", message=message, version=1, **parts))
        return hub

    return starting
