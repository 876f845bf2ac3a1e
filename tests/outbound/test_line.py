"""A line reads every answer that HTTP/1.1 allows, and says so when it is none."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from urllib3.util.wait import wait_for_read

from hub.config import networks
from hub.outbound import line
from hub.outbound.answer import Request
from hub.outbound.guard import (
    THIS_MACHINE,
    OutboundGuard,
)
from hub.outbound.line import Line
from hub.outbound.transport import GuardedTransport
from hub.sdk.errors import RetryLater
from hub.sdk.http import HttpClient
from hub.sdk.redaction import Redactor

OPEN = OutboundGuard(allow=networks(THIS_MACHINE))

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Remote:
    """Answers each request with the next of its scripts: pieces of bytes, then maybe the end.

    ``None`` at the end of a script closes the connection.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.scripts: list[list[bytes | None]] = []
        self.connections = 0
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        if self._context:
            connection = self._context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with connection:
            try:
                while connection.recv(65_536):
                    for piece in self.scripts.pop(0):
                        if piece is None:
                            return
                        connection.sendall(piece)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def remote() -> Iterator[Remote]:
    remote = Remote()
    yield remote
    remote.close()


@pytest.fixture
def session() -> Iterator[GuardedTransport]:
    with GuardedTransport(OPEN) as session:
        yield session


def get(session: GuardedTransport, remote: Remote, timeout: float = 5) -> requests.Response:
    return session.request("GET", f"{remote.origin}/x", allow_redirects=False, timeout=timeout)


def test_an_answer_in_chunks_and_pieces(session, remote):
    whole = (
        b"HTTP/1.1 201 Made it\r\nX-Two: a\r\nX-Two: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n5\r\ndefgh\r\n0\r\nTrailer: none\r\n\r\n"
    )
    remote.scripts = [[whole[n : n + 1] for n in range(len(whole))], [PLAIN]]
    answer = get(session, remote)
    assert (answer.status_code, answer.reason, answer.content) == (201, "Made it", b"abcdefgh")
    assert answer.headers["x-two"] == "a, b"
    assert "trailer" not in answer.headers
    assert get(session, remote).json() == {}
    assert remote.connections == 1


def test_a_compressed_answer(session, remote):
    body = gzip.compress(b'{"a": 1}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    remote.scripts = [[head.encode() + body]]
    assert get(session, remote).json() == {"a": 1}


@pytest.mark.parametrize("how", ["endless", "announced", "packed"])
@pytest.mark.parametrize("options", [{}, {"allow_redirects": True}], ids=["line", "requests"])
def test_no_answer_takes_more_memory_than_it_may(session, remote, how, options):
    """It would be that of every account's connections."""
    packed = gzip.compress(bytes(10_000_000))
    remote.scripts = [
        {
            "endless": [b"HTTP/1.1 200 OK\r\n\r\n", *[bytes(65_536)] * 100],
            "announced": [b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n", bytes(100_001)],
            "packed": [
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                + f"Content-Length: {len(packed)}\r\n\r\n".encode()
                + packed
            ],
        }[how]
    ]
    client = HttpClient(session, redactor=Redactor())
    with pytest.raises(RetryLater, match="more than 100000 B"):
        client.get(f"{remote.origin}/x", max_bytes=100_000, **options)


def test_an_answer_that_claims_to_be_compressed_is_trouble_that_passes(session, remote):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    remote.scripts = [[head]]
    with pytest.raises(requests.exceptions.ContentDecodingError):
        get(session, remote)


def test_an_interim_answer_is_passed_over(session, remote):
    remote.scripts = [[b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", PLAIN]]
    answer = get(session, remote)
    assert (answer.status_code, answer.reason, "link" in answer.headers) == (200, "OK", False)


def test_an_answer_that_ends_with_the_connection(session, remote):
    remote.scripts = [[b"HTTP/1.1 200 OK\r\n\r\nuntil the", b" end", None], [PLAIN]]
    assert get(session, remote).content == b"until the end"
    assert get(session, remote).json() == {}
    assert remote.connections == 2


@pytest.mark.parametrize(
    "ending",
    [[PLAIN.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")], [PLAIN, None]],
    ids=["said", "unsaid"],
)
def test_a_closed_connection_is_replaced(session, remote, ending):
    remote.scripts = [ending, [PLAIN]]
    assert get(session, remote).json() == {}
    for kept in session._lines.values():  # until the end has arrived
        assert kept._socket is None or wait_for_read(kept._socket, timeout=60)
    assert get(session, remote).json() == {}
    assert remote.connections == 2


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"HTTP/1.1 20", b"SSH-2.0\r\n\r\n"],
    ids=["nothing", "half a body", "half a head", "not HTTP"],
)  # fmt: skip
def test_a_broken_answer_may_have_had_its_effect(session, remote, answer):
    remote.scripts = [[answer, None], [PLAIN]]
    client = HttpClient(session, redactor=Redactor())
    with pytest.raises(RetryLater) as caught:
        client.post(f"{remote.origin}/x", json={})
    assert caught.value.reached
    assert client.get(f"{remote.origin}/x").content == b"{}"


@pytest.mark.parametrize("head", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_bytes_behind_an_answer_belong_to_none(session, remote, head):
    """A wrong Content-Length, say: what the call has done is done, and it is not repeated."""
    answer = PLAIN.replace(b"OK\r\n", b"OK\r\n" + head)
    remote.scripts = [[answer + b"xx"], [PLAIN]]
    assert get(session, remote).json() == {}
    assert get(session, remote).json() == {}
    assert remote.connections == 2


def test_a_change_of_protocol_is_trouble_that_passes(session, remote):
    remote.scripts = [[b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"]]
    with pytest.raises(requests.ConnectionError):
        get(session, remote)


def test_a_silent_remote_is_left_in_time(session, remote):
    remote.scripts = [[b"HTTP/1.1 200 OK\r\n"], [PLAIN]]
    with pytest.raises(requests.ReadTimeout):
        get(session, remote, timeout=0.05)
    assert get(session, remote).json() == {}, "the late rest is not taken for the next answer"


@pytest.mark.parametrize(
    "headers", [{"Session": "a\r\nHost: evil"}, {"Session\r\nHost": "evil"}, {"Session:": "x"}]
)
def test_headers_cannot_be_smuggled(session, remote, headers):
    with pytest.raises(requests.exceptions.InvalidHeader):
        session.request(
            "GET", f"{remote.origin}/x", allow_redirects=False, timeout=60, headers=headers
        )
    assert remote.connections == 0


def test_a_port_that_is_none(session):
    with pytest.raises(requests.exceptions.InvalidURL):
        session.request("GET", "http://127.0.0.1:99999/x", allow_redirects=False, timeout=60)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that it signs itself, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=crm",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:crm.internal",
         "-keyout", file, "-out", f"{file}.cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + Path(f"{file}.cert").read_bytes())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[Remote]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    remote = Remote(context)
    yield remote
    remote.close()


def test_a_certificate_of_nobody_is_refused_before_a_byte(session, secure):
    client = HttpClient(session, redactor=Redactor())
    with pytest.raises(RetryLater, match="TLS certificate of"):
        client.post(f"{secure.origin}/x", json={"secret": 1})


def test_a_certificate_of_an_authority_is_taken(session, secure, certificate, monkeypatch):
    trusting = ssl.create_default_context(cafile=f"{certificate}.cert")
    monkeypatch.setattr(line, "_trusting", lambda: trusting)
    secure.scripts = [[PLAIN], [PLAIN]]
    assert [get(session, secure).json() for _ in range(2)] == [{}, {}]
    assert secure.connections == 1


@pytest.mark.parametrize("options", [{}, {"allow_redirects": True}], ids=["line", "requests"])
def test_a_certificate_is_that_of_the_name_not_of_the_address(
    session, secure, certificate, monkeypatch, options
):
    """The address is called; the certificate has both, but only one name."""
    trusting = ssl.create_default_context(cafile=f"{certificate}.cert")
    monkeypatch.setattr(line, "_trusting", lambda: trusting)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", f"{certificate}.cert")
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *more, **m: look_up("127.0.0.1", *more, **m)
    )
    secure.scripts = [[PLAIN]]
    call = {"timeout": 60, **options}
    assert session.request("GET", f"https://crm.internal:{secure.port}/x", **call).json() == {}
    with pytest.raises(requests.exceptions.SSLError):
        session.request("GET", f"https://other.internal:{secure.port}/x", **call)


def test_the_guard_sees_the_address_before_tls(secure):
    seen: list[str] = []

    def refuse(host: str, addresses: list[str]) -> list[str]:
        seen.extend(addresses)
        raise PermissionError("no")

    guarded = Line(secure.origin, refuse, lambda: None)
    request = Request("GET", secure.origin, "/x", {}, None)
    with pytest.raises((PermissionError, requests.ConnectionError)):
        guarded.call(request, 5, 5)
    assert seen == ["127.0.0.1"]
