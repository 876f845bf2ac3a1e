"""A lean call puts the same bytes on the wire as requests itself, and answers the same."""

from __future__ import annotations

import ipaddress
import json
import pickle
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from hub.config import networks
from hub.outbound.guard import (
    THIS_MACHINE,
    Doors,
    OutboundGuard,
)
from hub.outbound.transport import GuardedTransport
from hub.sdk import NeedsAttention
from hub.sdk.errors import LaneLost, RetryLater
from hub.sdk.http import HttpClient
from hub.sdk.redaction import Redactor
from tests.support.web import serving

OPEN = OutboundGuard(allow=networks(THIS_MACHINE))


class Remote:
    """A server that remembers what reached it."""

    def __init__(self) -> None:
        self.seen: list[tuple] = []
        remote = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                # Names in whatever case, sorted: their order means nothing.
                headers = sorted((name.lower(), value) for name, value in self.headers.items())
                remote.seen.append((self.command, self.path, headers, self.rfile.read(length)))
                body = json.dumps({"grüße": "ü"}).encode()
                self.send_response(201, "Made")
                self.send_header("Content-Type", "application/json; charset=UTF-8")
                self.send_header("Set-Cookie", "session=1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def remote() -> Iterator[Remote]:
    remote = Remote()
    with serving(remote.server):
        yield remote


CALLS = [
    ("GET", "/apirest.php/search/User", {}),
    ("GET", "/x", {"params": {"criteria[0][value]": "^ann+ü@x.de$ &=", "none": None, "n": 5}}),
    ("GET", "/x", {"params": {"many": ["a", "b c"]}}),
    ("GET", "/x", {"params": {}}),
    ("GET", "/x?range=0-1", {"params": {"a": 1}}),
    ("GET", "/a/../b/./c", {}),
    ("GET", "/a/..", {}),
    ("GET", "/with space/ü/%41", {}),
    ("POST", "/x", {"json": {"input": {"name": "Grüße", "n": None, "list": [1.5, True]}}}),
    ("POST", "/x", {"json": {}}),
    ("POST", "/x", {"json": []}),
    ("POST", "/x", {}),
    ("PUT", "/x", {"json": "text", "headers": {"content-type": "application/merge+json"}}),
    ("DELETE", "/x", {"params": {"force_purge": "true"}}),
    ("GET", "/x", {"headers": {"user-agent": "Hub", "ACCEPT": "text/plain", "Session": "ä"}}),
    ("POST", "/x", {"data": {"a": "b c"}}),
    ("POST", "/x", {"data": b"bytes"}),
]


@pytest.mark.parametrize(("method", "path", "options"), CALLS)
def test_the_same_call_as_requests_makes(remote, method, path, options):
    plain = GuardedTransport(OPEN)
    ours = plain.request(method, remote.url + path, allow_redirects=False, timeout=60, **options)
    with requests.Session() as whole:
        theirs = whole.request(
            method, remote.url + path, allow_redirects=False, timeout=60, **options
        )
    assert remote.seen[0][:2] == remote.seen[1][:2]
    assert remote.seen[0][2] == remote.seen[1][2]
    assert remote.seen[0][3] == remote.seen[1][3]
    for one in ("status_code", "reason", "url", "encoding", "content", "text", "ok"):
        assert getattr(ours, one) == getattr(theirs, one)
    assert ours.json() == {"grüße": "ü"}
    for answer in (ours, theirs):
        assert answer.request.method == method
        assert answer.request.headers["user-AGENT"] == dict(remote.seen[0][2])["user-agent"]
        kept = pickle.loads(pickle.dumps(answer))
        assert b"".join(kept.iter_content(3)) == answer.content
        answer.close()
    plain.request(method, remote.url + path, allow_redirects=False, timeout=60, **options)
    assert "cookie" not in dict(remote.seen[2][2])
    assert ours.headers["content-TYPE"] == theirs.headers["content-TYPE"]


def test_a_connection_serves_call_after_call(remote):
    made = []

    class Counting(OutboundGuard):
        def allowed(self, addresses: list[str], host: str, doors: Doors) -> list[str]:
            made.append(host)
            return addresses

    session = GuardedTransport(Counting())
    for _ in range(3):
        session.request("GET", f"{remote.url}/x", allow_redirects=False, timeout=60)
    assert made == ["127.0.0.1"]


def test_the_guard_stands_before_a_lean_call(remote):
    session = GuardedTransport(OutboundGuard(deny=(ipaddress.ip_network("127.0.0.0/8"),)))
    with pytest.raises(NeedsAttention):
        session.request("GET", f"{remote.url}/secret", allow_redirects=False, timeout=60)
    assert remote.seen == []


def test_the_last_check_stands_before_a_lean_call(remote):
    def refuse() -> None:
        raise LaneLost("The lease ended before the call was sent.")

    session = GuardedTransport(OPEN, refuse)
    with pytest.raises(LaneLost):
        session.request("POST", f"{remote.url}/x", allow_redirects=False, timeout=60, json={})
    assert remote.seen == []


@pytest.mark.parametrize("options", [{}, {"max_bytes": 9}], ids=["line", "stream"])
def test_a_remote_that_is_gone_was_not_reached(remote, options):
    remote.server.shutdown()
    remote.server.server_close()
    client = HttpClient(GuardedTransport(OPEN), redactor=Redactor())
    with pytest.raises(RetryLater) as caught:
        client.post(f"{remote.url}/x", json={"a": 1}, **options)
    assert not caught.value.reached
    assert caught.value.sentence == "127.0.0.1 could not be reached.", "not: in time"
