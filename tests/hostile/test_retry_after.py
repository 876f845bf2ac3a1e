"""What a remote's ``Retry-After`` asks for is believed within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hub_glpi import plugin as glpi
from hub_leadsquared import plugin as leadsquared
from hub_webhook import plugin as webhook
from sqlalchemy import select

from hub.database import reading
from hub.kit.context import (
    MemoryContext,
    hub_session,
)
from hub.models import Breaker, Delivery, DeliveryState
from hub.sdk.errors import HubError, RetryLater
from hub.sdk.http import LONGEST_PAUSE, HttpClient, retry_after_seconds
from hub.sdk.redaction import Redactor
from tests.support.crm import World, make_plugin
from tests.support.web import serving

NOW = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
HOUR, DAY = 3_600.0, 86_400.0

#: What a remote may say, and the seconds for which that is taken.
SAID = {
    "120": 120,
    " 1.5 ": 1.5,
    "0": 0,
    "-5": 0,
    "99999999": DAY,
    f"{NOW.timestamp() + 90:.0f}": 90,  # the moment itself, as a Unix time
    f"{NOW.timestamp() - 90:.0f}": 0,
    f"{NOW.timestamp() * 1000:.0f}": DAY,
    "inf": None,
    "-inf": None,
    "nan": None,
    "1e400": None,
    "9" * 5_000: None,
    "soon": None,
    "": None,
    "Sat, 28 Nov 2026 21:01:30 GMT": 90,
    "Sat, 28 Nov 2026 21:01:30 -0000": 90,
    "Sat, 28 Nov 2015 21:00:00 GMT": 0,
    "Fri, 31 Dec 9999 23:59:59 -2359": DAY,
    "Sat, 01 Jan 0001 00:00:00 +2359": 0,
    "Mon, 01 Jan 99999999999 00:00:00 GMT": None,
    "Sat, 28 Nov 2026 23:00:00 +99999999999999": None,
    "Mon, 99 Foo 2026 99:99:99 GMT": None,
}
HOSTILE = ("inf", "nan", "9" * 400, "1764363600", "Mon, 01 Jan 99999999999 00:00:00 GMT")


@pytest.mark.parametrize(("said", "seconds"), SAID.items(), ids=[one[:40] for one in SAID])
def test_every_kind_is_a_bounded_number_or_nothing(said, seconds):
    assert retry_after_seconds(said, NOW) == seconds


class Busy:
    """A server that answers every request with a status and a ``Retry-After``."""

    def __init__(self) -> None:
        self.status, self.said = 429, "1"
        busy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(busy.status)
                self.send_header("Retry-After", busy.said)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def busy() -> Iterator[Busy]:
    busy = Busy()
    with serving(busy.server):
        yield busy


@pytest.mark.parametrize("said", HOSTILE, ids=[one[:40] for one in HOSTILE])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("plugin", "settings"),
    [
        (glpi, {"api_url": "{url}", "user_token": "u" * 40}),
        (leadsquared, {"api_url": "{url}", "access_key": "a" * 20, "secret_key": "s" * 20}),
        (webhook, {"url": "{url}/hook", "secret": "whsec_" + "c2VjcmV0" * 4}),
    ],
    ids=lambda one: getattr(one, "id", ""),
)
def test_the_setup_of_every_plugin_ends_with_a_sentence(busy, plugin, settings, status, said):
    busy.status, busy.said = status, said
    given = {name: text.format(url=busy.url) for name, text in settings.items()}
    context = MemoryContext(plugin, given, session=hub_session())
    with pytest.raises(HubError) as caught:
        plugin.setup(context).run()
    assert caught.value.sentence
    assert context.calls


@pytest.fixture
def calling(make_app, crm, busy) -> Iterator[World]:
    """A small CRM's plugin that calls the busy server for each event."""

    def call(context) -> None:
        HttpClient(hub_session(), redactor=Redactor(), rules=context.http._rules).get(busy.url)

    crm.on_handle = call
    app = make_app(make_plugin(crm))
    with app.app_context():
        yield World(app)


@pytest.mark.parametrize("said", HOSTILE, ids=[one[:40] for one in HOSTILE])
@pytest.mark.parametrize(("status", "longest"), [(503, HOUR), (429, DAY)])
def test_a_delivery_waits_an_hour_and_a_hook_a_day_at_most(calling, busy, status, longest, said):
    busy.status, busy.said = status, said
    calling.send("contact.created")
    assert calling.work() == 1
    now = datetime.now(UTC)
    with reading() as session:
        delivery = session.scalars(select(Delivery)).one()
        pause = session.scalars(select(Breaker.retry_at)).one()
    assert (delivery.state, delivery.bugs) == (DeliveryState.WAITING, 0), delivery.reason
    # And the hub's own backoff, of two seconds at the first try.
    assert delivery.due_at is not None
    assert delivery.due_at <= now + timedelta(seconds=longest + 2)
    assert pause is None or pause <= now + timedelta(seconds=longest)
    assert (pause is not None) == (status == 429)


def test_what_a_plugin_is_told_is_finite_too(busy):
    busy.status, busy.said = 429, "99999999"
    with pytest.raises(RetryLater) as caught:
        HttpClient(hub_session(), redactor=Redactor()).get(busy.url)
    assert caught.value.delay == LONGEST_PAUSE
