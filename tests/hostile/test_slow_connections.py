"""Connections that send slowly, or nothing, hold nobody up: webhooks beside them are answered."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from gunicorn.config import Config

from hub.fleet.arrival import MOST_CHUNKS
from hub.fleet.front import Connection
from hub.fleet.web import options
from hub.sdk.testing import payloads
from tests.support.installation import PATIENCE, SECRET, RunningHub

#: What stands at its beginning, and is never ended.
NOTHING = b""
HALF_A_HEAD = b"POST /webhooks/chatwoot/x HTTP/1.1\r\nHost: hub\r\n"
HALF_A_BODY = HALF_A_HEAD + b"Content-Length: 100000\r\n\r\n{"
HALF_OF_CHUNKS = HALF_A_HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n{"
KINDS = (NOTHING, HALF_A_HEAD, HALF_A_BODY, HALF_OF_CHUNKS)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder: Path = tmp_path_factory.mktemp("hub")
    with RunningHub(folder) as hub:
        hub.start("--processes", "1")
        hub.run("accounts", "create", "Acme", "--region", "DE")
        source = hub.run(
            *("sources", "create", "Acme", "--kind", "chatwoot", "--signing-secret", SECRET)
        )
        hub.webhook = source["webhook_url"]
        yield hub


@contextmanager
def slow(hub: RunningHub, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, which send a byte now and then, or nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4_096, hard)), hard))
    stopping = threading.Event()
    with ExitStack() as stack:
        opened = []
        for number in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", hub.port), PATIENCE))
            one.sendall(KINDS[number % len(KINDS)])
            opened.append(one)

        def drip() -> None:
            while not stopping.wait(1.0):
                for number, one in enumerate(opened):
                    try:
                        if KINDS[number % len(KINDS)]:
                            one.send(b"x")
                    except OSError:
                        continue  # the hub has closed it

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            yield opened
        finally:
            stopping.set()
            dripping.join()


@pytest.mark.parametrize("count", [140, 1_000])
def test_webhooks_beside_slow_connections_are_answered(hub, count):
    with slow(hub, count) as opened:
        for number in range(5):
            body = payloads.raw("contact_created_full").replace(b'"id"', b'"id" ')
            answer = hub.send(body, patience=60)
            assert answer.status_code in (200, 202), number
        # And none of them stays: each is closed when its time is over.
        for one in opened:
            one.settimeout(PATIENCE)
            try:
                while one.recv(4096):
                    pass
            except OSError:
                continue


def test_slow_connections_hold_no_thread(hub):
    """Before a request is whole, no thread knows of it."""
    with slow(hub, 40):
        time.sleep(2)
        threads = [process.num_threads() for process in hub.processes("web")]
        answer = hub.send(payloads.raw("contact_created_full"), patience=60)
        assert answer.status_code in (200, 202)
    assert max(threads) < 20, threads


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_body_above_8_mib_is_told_so(hub, chunked):
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=PATIENCE)
    body = [b"x" * MIB] * 8 + [b"y"]
    path = hub.webhook.split(str(hub.port))[1]
    if chunked:
        connection.request("POST", path, body=iter(body), encode_chunked=True)
    else:
        connection.request("POST", path, body=b"".join(body))
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"8388608" in answer.read()
    connection.close()
    assert hub.webhook.rsplit("/", 1)[1] not in hub.story()


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
def test_a_large_body_is_taken_and_the_connection_kept(hub, chunked):
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=PATIENCE)
    path = hub.webhook.split(str(hub.port))[1]
    headers = {"Content-Type": "application/json"}
    for _ in range(2):
        body = b'{"x":"' + b"x" * (7 * MIB) + b'"}'
        if chunked:
            pieces = iter([body[:MIB], body[MIB:]])
            connection.request("POST", path, body=pieces, headers=headers, encode_chunked=True)
        else:
            connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 401  # it has no signature: the hub has read it
        answer.read()
        assert not answer.will_close
    connection.close()


def test_requests_may_follow_each_other_without_waiting(hub):
    with socket.create_connection(("127.0.0.1", hub.port), PATIENCE) as one:
        ask = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
        one.sendall(ask * 3 + ask[:10])
        one.sendall(ask[10:-4] + b"\r\nConnection: close\r\n\r\n")
        told = b""
        while data := one.recv(65_536):
            told += data
    assert told.count(b"HTTP/1.1 200 OK") == 4


def test_who_waits_for_a_word_before_the_body_gets_it(hub):
    with socket.create_connection(("127.0.0.1", hub.port), PATIENCE) as one:
        path = hub.webhook.split(str(hub.port))[1].encode()
        one.sendall(
            b"POST %s HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nContent-Length: 2\r\n"
            b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n" % path
        )
        assert one.recv(1024).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        one.sendall(b"{}")
        told = b""
        while data := one.recv(65_536):
            told += data
    assert b"HTTP/1.1 401" in told


def test_who_does_not_close_holds_nobody_up(hub):
    """Gunicorn's loop waits two seconds for each of them: these would take minutes."""
    with ExitStack() as stack:
        for _ in range(200):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", hub.port), PATIENCE))
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
        answer = hub.send(payloads.raw("contact_created_full"), patience=60)
        assert answer.status_code in (200, 202)


def test_a_large_body_in_small_chunks_costs_no_more_than_its_bytes():
    """The parser copies what it holds with each chunk: given all at once, this takes an hour."""
    chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
    head = HALF_A_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        conn = Connection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
        assert conn.arrival.add(head + chunk * MOST_CHUNKS + b"0\r\n\r\nGET /next")
        conn.init()
        request = next(conn.parser)
        began = time.process_time()
        read = 0
        while piece := request.body.read(64 * 1024):
            read += len(piece)
            assert time.process_time() - began < 60
        assert read == 512 * MOST_CHUNKS
        assert conn.parser.unreader.take_buffered() == b"GET /next"


def test_a_file_is_sent_within_the_sockets_own_limit():
    """With sendfile, Python waits without an end for a client that does not read."""
    assert options("127.0.0.1", 0)["sendfile"] is False


def test_what_is_logged_of_a_refused_request_is_the_beginning_of_its_path(hub):
    with socket.create_connection(("127.0.0.1", hub.port), PATIENCE) as one:
        one.sendall(
            b"GET /metrics HTTP/1.1\r\nAuthorization: Bearer s3cr3t\r\nContent-Length: x\r\n\r\n"
        )
        assert b" 400 " in one.recv(65_536)
    assert "s3cr3t" not in hub.story()
    assert "metrics" in hub.story()
