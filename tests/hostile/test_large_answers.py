"""An answer has a size, after decompression, whatever its remote sends."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat

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
from hub.models import Attempt, Delivery, DeliveryState
from hub.sdk.errors import HubError, RetryLater
from hub.sdk.http import Call, CallRules, HttpClient, json_of
from hub.sdk.redaction import Redactor
from hub.sdk.transport import LARGEST_ANSWER
from tests.support.crm import World, make_plugin
from tests.support.web import serving

MIB = 2**20
ZEROS = bytes(MIB)
PIECE = bytes(65_536)


def deflated(mebibytes: int) -> bytes:
    compressor = zlib.compressobj()
    head = compressor.compress(ZEROS) + compressor.flush(zlib.Z_FULL_FLUSH)
    block = compressor.compress(ZEROS) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes


#: 400 MiB in some 400 KiB.
GZIPPED = gzip.compress(ZEROS, 9) * 400

#: What a remote answers: its headers, and the pieces of its body.
ANSWERS: dict[str, tuple[dict[str, str], object]] = {
    "gzip": ({"Content-Encoding": "gzip"}, [GZIPPED]),
    "gzip in chunks": ({"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, [GZIPPED]),
    "gzip twice": ({"Content-Encoding": "gzip, gzip"}, [gzip.compress(GZIPPED)]),
    "deflate": ({"Content-Encoding": "deflate"}, [deflated(400)]),
    "brotli": ({"Content-Encoding": "br"}, repeat(PIECE)),
    "no end": ({}, repeat(PIECE)),
    "chunks without end": ({"Transfer-Encoding": "chunked"}, repeat(PIECE)),
    "a length of nothing like it": ({"Content-Length": str(10 * 2**30)}, repeat(PIECE)),
}


class Flooding:
    """Answers by the name in the path: ``/answer/gzip``; ``sent`` counts the bytes of bodies."""

    def __init__(self) -> None:
        self.sent, self.status = 0, 200
        self.answers = dict(ANSWERS)
        self.answers["dust"] = ({"Transfer-Encoding": "chunked"}, repeat(b"x"))
        self.everywhere: str | None = None
        flooding = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.close_connection = True
                *_, kind, name = self.path.split("?")[0].replace("%20", " ").split("/")
                name = flooding.everywhere or name
                try:
                    if kind == "headers":
                        self.endless_headers()
                    headers, pieces = flooding.answers[name]
                    self.send_response(302 if kind == "away" else flooding.status)
                    self.send_header("Content-Type", "application/json")
                    if kind == "away":
                        self.send_header("Location", "/answer/small")
                    for header in headers.items():
                        self.send_header(*header)
                    self.end_headers()
                    self.send_pieces(pieces, "Transfer-Encoding" in headers)
                except OSError:
                    return  # the other side has had enough

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def endless_headers(self) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for line in repeat(b"X-More: of it\r\n" * 1_000):
                    flooding.sent += len(line)
                    self.wfile.write(line)

            def send_pieces(self, pieces, is_chunked: bool) -> None:
                for piece in pieces:
                    wire = b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece
                    if len(piece) == 1:
                        wire *= 10_000
                    self.wfile.write(wire)
                    flooding.sent += len(wire)
                if is_chunked:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def remote() -> Iterator[Flooding]:
    remote = Flooding()
    remote.answers["small"] = ({"Content-Length": "2"}, [b"{}"])
    with serving(remote.server):
        yield remote


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def client(calls: list[Call]) -> HttpClient:
    return HttpClient(hub_session(), redactor=Redactor(), rules=CallRules(after=calls.append))


@pytest.fixture
def peak() -> Iterator[object]:
    """Answers the most memory, in bytes, that was in use since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


#: The ways of a call: an ordinary one, one that requests itself makes, one for a file.
WAYS = {
    "ordinary": {},
    "special": {"headers": {"Connection": "close"}},
    "file": {"allow_redirects": True, "max_bytes": 4 * MIB},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ANSWERS)
def test_of_an_answer_that_is_too_large_no_more_is_taken(client, calls, remote, peak, way, name):
    limit = WAYS[way].get("max_bytes", LARGEST_ANSWER)
    with pytest.raises(RetryLater) as caught:
        client.get(f"{remote.url}/answer/{name}", **WAYS[way])
    assert caught.value.sentence == (
        f"127.0.0.1 sent an answer of more than {limit // MIB} MiB, which is not taken."
    )
    assert caught.value.reached, "what the call has done is done"
    assert peak() < 2.5 * LARGEST_ANSWER
    # Some is still in the buffers of the two sockets.
    assert remote.sent < 2 * LARGEST_ANSWER + 8 * MIB
    assert calls[0].error == caught.value.sentence
    assert calls[0].response_body == ""
    assert client.get(f"{remote.url}/answer/small").json() == {}


@pytest.mark.parametrize("way", WAYS)
def test_nor_of_one_that_comes_as_dust(client, remote, peak, way):
    with pytest.raises(RetryLater, match="came in too many small pieces"):
        client.get(f"{remote.url}/answer/dust", **{**WAYS[way], "max_bytes": MIB})
    assert peak() < LARGEST_ANSWER
    assert remote.sent < LARGEST_ANSWER


@pytest.mark.parametrize("follows", [True, False])
def test_nor_of_one_that_leads_on(client, remote, peak, follows):
    for name in ("gzip", "no end"):
        with pytest.raises(RetryLater, match="more than 16 MiB"):
            client.get(
                f"{remote.url}/away/{name}",
                allow_redirects=follows,
                headers={"Connection": "close"},
            )
    assert peak() < 2.5 * LARGEST_ANSWER


@pytest.mark.parametrize("way", ["ordinary", "special"])
def test_headers_without_end_are_trouble_that_passes(client, remote, peak, way):
    with pytest.raises(RetryLater):
        client.get(f"{remote.url}/headers/small", **WAYS[way])
    assert peak() < LARGEST_ANSWER
    assert remote.sent < LARGEST_ANSWER


@pytest.mark.parametrize("way", ["ordinary", "special"])
def test_what_is_just_not_too_large_is_taken_and_more_by_request(client, remote, way):
    remote.answers["just"] = ({"Content-Length": str(16 * MIB)}, [ZEROS] * 16)
    remote.answers["larger"] = ({"Content-Length": str(17 * MIB)}, [ZEROS] * 17)
    remote.answers["zipped"] = ({"Content-Encoding": "gzip"}, [gzip.compress(ZEROS) * 17])
    assert len(client.get(f"{remote.url}/answer/just", **WAYS[way]).content) == 16 * MIB
    for name in ("larger", "zipped"):
        url = f"{remote.url}/answer/{name}"
        with pytest.raises(RetryLater):
            client.get(url, **WAYS[way])
        assert len(client.get(url, max_bytes=17 * MIB, **WAYS[way]).content) == 17 * MIB


def test_the_trace_of_a_large_answer_costs_nothing_like_it(client, calls, remote, peak):
    remote.answers["text"] = ({"Content-Length": str(15 * MIB)}, ["😀".encode() * (MIB // 4)] * 15)
    client.get(f"{remote.url}/answer/text")
    assert len(calls[0].response_body) < 3_000
    # The pieces as they came, and the whole; as a text it would be 15 MiB more.
    assert peak() < 15 * MIB * 2.9


def test_json_that_is_too_deep_is_not_what_an_api_speaks(client, remote):
    remote.answers["deep"] = ({"Content-Length": "100000"}, [b"[" * 100_000])
    with pytest.raises(RetryLater, match="not what its API speaks"):
        json_of(client.get(f"{remote.url}/answer/deep"))


@pytest.mark.parametrize("status", [400, 500])
def test_nor_is_it_an_exception_of_leadsquared(remote, status):
    remote.answers["deep"] = ({"Content-Length": "100000"}, [b"[" * 100_000])
    remote.everywhere, remote.status = "deep", status
    settings = {"api_url": remote.url, "access_key": "a" * 20, "secret_key": "s" * 20}
    with pytest.raises(HubError):
        leadsquared.setup(MemoryContext(leadsquared, settings, session=hub_session())).run()


@pytest.mark.parametrize(
    ("plugin", "settings"),
    [
        (glpi, {"api_url": "{url}", "user_token": "u" * 40}),
        (leadsquared, {"api_url": "{url}", "access_key": "a" * 20, "secret_key": "s" * 20}),
        (webhook, {"url": "{url}/hook", "secret": "whsec_" + "c2VjcmV0" * 4}),
    ],
    ids=["glpi", "leadsquared", "webhook"],
)
def test_the_setup_of_every_plugin_says_so(remote, plugin, settings):
    remote.everywhere = "gzip"
    given = {key: text.format(url=remote.url) for key, text in settings.items()}
    context = MemoryContext(plugin, given, session=hub_session())
    with pytest.raises(HubError) as caught:
        plugin.setup(context).run()
    assert caught.value.sentence
    assert "more than 16 MiB" in (context.calls[0].error or "")


def test_a_delivery_that_meets_one_waits_with_a_sentence(make_app, crm, remote):
    def call(context) -> None:
        HttpClient(hub_session(), redactor=Redactor(), rules=context.http._rules).get(
            f"{remote.url}/answer/gzip"
        )

    crm.on_handle = call
    app = make_app(make_plugin(crm))
    with app.app_context():
        world = World(app)
        world.send("contact.created")
        # On a machine that stands still for a second its next attempt is due at once.
        assert world.work() >= 1
        with reading() as session:
            delivery = session.scalars(select(Delivery)).one()
            attempt, *_ = session.scalars(select(Attempt))
    assert (delivery.state, delivery.bugs) == (DeliveryState.WAITING, 0)
    assert "more than 16 MiB" in delivery.reason
    assert attempt.calls[0]["response_body"] == ""
