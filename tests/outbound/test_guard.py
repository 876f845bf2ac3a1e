"""The outbound address guard."""

from __future__ import annotations

import ipaddress
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hub.config import networks
from hub.outbound.guard import (
    THIS_MACHINE,
    Doors,
    ForbiddenAddress,
    OutboundGuard,
)
from hub.outbound.transport import GuardedTransport
from hub.sdk import NeedsAttention
from tests.support.web import serving

EVERYTHING = networks("0.0.0.0/0, ::/0")
OPENED, BEFORE = Doors(frozenset({"crm.internal"})), Doors(all_before=True)
INSIDE = (
    "64:ff9b:1::808:808",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.9",
    "100.64.0.1",
    "fd12::1",
    "::ffff:10.1.2.3",
)
#: 169.254.169.254 as IPv6 can wrap it.
WRAPPED = (
    *("::ffff:169.254.169.254", "::ffff:0:169.254.169.254", "::169.254.169.254"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1"),
    # As a network of its own may embed it, behind a prefix of 48, 56 or 64 bits.
    *("64:ff9b:1:a9fe:a9:fe00:808:808", "64:ff9b:1:a9:fe:a9fe:808:808"),
    "64:ff9b:1:0:a9:fea9:fe08:808",
)
CLOUDS = (
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe"),
)
OTHERS = ("fe80::1%eth0", "0.0.0.0", "224.0.0.1", "::", "255.255.255.255")


@pytest.mark.parametrize("address", [*OTHERS, *CLOUDS, *WRAPPED])
def test_the_machinery_of_networks_and_clouds_is_never_called(address):
    """Whatever is set, remembered or stored."""
    for doors in (OPENED, BEFORE):
        with pytest.raises(ForbiddenAddress, match="reserved"):
            OutboundGuard(allow=EVERYTHING).check_address(address, "crm.internal", doors)


@pytest.mark.parametrize("address", INSIDE)
def test_a_private_network_needs_a_door_or_the_variable(address):
    with pytest.raises(ForbiddenAddress, match=r"administrator.*HUB_OUTBOUND_ALLOW="):
        OutboundGuard().check_address(address, "crm.internal")
    with pytest.raises(ForbiddenAddress):
        OutboundGuard().check_address(address, "other.internal", OPENED)
    OutboundGuard().check_address(address, "crm.internal", OPENED)
    OutboundGuard().check_address(address, "crm.internal", BEFORE)
    OutboundGuard(allow=EVERYTHING).check_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_hubs_own_machine_needs_the_variable_from_everybody(address):
    with pytest.raises(ForbiddenAddress, match="Whoever runs the hub"):
        OutboundGuard().check_address(address, "crm.internal", OPENED)
    OutboundGuard().check_address(address, "crm.internal", BEFORE)
    OutboundGuard(allow=networks(THIS_MACHINE)).check_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "2002:5db8:d822::1"])
def test_the_internet_is_open_to_everybody(address):
    OutboundGuard().check_address(address)


def test_what_is_denied_stays_closed_to_what_was_remembered():
    private = ipaddress.ip_network("10.0.0.0/8")
    guard = OutboundGuard(allow=(ipaddress.ip_network("10.1.0.0/16"),), deny=(private,))
    guard.check_address("10.1.2.3")
    for doors in (OPENED, BEFORE):
        with pytest.raises(ForbiddenAddress, match="HUB_OUTBOUND_DENY"):
            guard.check_address("10.2.2.3", "crm.internal", doors)


class Handler(BaseHTTPRequestHandler):
    """Notes what it is asked, and leads on where it is told to."""

    seen: list[str]
    onward = ""

    def do_GET(self) -> None:
        self.seen.append(self.path)
        onward = self.onward if self.path == "/x" else ""
        self.send_response(302 if onward else 200)
        if onward:
            self.send_header("Location", onward)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def remote(monkeypatch):
    """A server on this machine, to which every name in .internal leads."""
    handler = type("Remote", (Handler,), {"seen": [], "connected": 0})
    server = HTTPServer(("127.0.0.1", 0), handler)
    accept = server.get_request

    def counted():
        handler.connected += 1
        return accept()

    server.get_request = counted
    look_up = socket.getaddrinfo

    def resolve(host, *rest, **more):
        return look_up("127.0.0.1" if str(host).endswith("internal") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with serving(server):
        handler.port = server.server_port
        yield handler


def get(session, remote, host: str, **options):
    options = {"allow_redirects": True, "timeout": 5, **options}
    return session.request("GET", f"http://{host}:{remote.port}/x", **options)


@pytest.mark.parametrize("options", [{"allow_redirects": False}, {"allow_redirects": True}])
def test_it_is_asked_before_a_connection_is_made(remote, options):
    with pytest.raises(NeedsAttention, match=r"127\.0\.0\.1"):
        get(GuardedTransport(OutboundGuard()), remote, "localhost", **options)
    assert (remote.connected, remote.seen) == (0, [])


def test_a_redirect_leads_to_no_other_host_inside(remote):
    remote.onward = f"http://storage.internal:{remote.port}/file"
    session = GuardedTransport(OutboundGuard(), doors=Doors(before=frozenset({"crm.internal"})))
    with pytest.raises(NeedsAttention):
        get(session, remote, "crm.internal")
    assert remote.seen == ["/x"]


class OneFile:
    """The files of an event: one, at ``chat.internal``, which its source has opened."""

    def __init__(self, remote) -> None:
        self.url = f"http://chat.internal:{remote.port}/x"

    def has(self, url: str) -> bool:
        return url == self.url

    def doors(self) -> Doors:
        return Doors(before=frozenset({"chat.internal"}))


def test_the_host_of_files_may_lead_on_to_its_storage(remote):
    remote.onward = f"http://127.0.0.1:{remote.port}/file"
    session = GuardedTransport(OutboundGuard(allow=networks("10.0.0.0/8")))
    session.files = OneFile(remote)
    with pytest.raises(NeedsAttention, match="own machine"):
        get(session, remote, "chat.internal")
    assert remote.seen == ["/x"], "a door leads into private networks, not into this machine"
    session.passage.guard = OutboundGuard(allow=networks(THIS_MACHINE))
    assert get(session, remote, "chat.internal").status_code == 200


@pytest.mark.parametrize("options", [{"allow_redirects": False}, {"allow_redirects": True}])
def test_a_door_for_files_is_for_files(remote, options):
    """Whoever points a connection at Chatwoot's host reaches nothing else there, not even over the
    connection by which a file has just come."""
    session = GuardedTransport(OutboundGuard())
    session.files = OneFile(remote)
    assert get(session, remote, "chat.internal", **options).status_code == 200
    elsewhere = session.files.url.replace("/x", "/secret")
    for method, url in (("GET", elsewhere), ("POST", session.files.url)):
        call = {"allow_redirects": True, "timeout": 5, **options}
        with pytest.raises(NeedsAttention):
            session.request(method, url, **call)
    assert (remote.connected, remote.seen) == (1, ["/x"])


def test_the_address_that_was_checked_is_the_one_that_is_called(remote, monkeypatch):
    """A name may lead elsewhere when it is looked up again."""
    looked_up = iter(["127.0.0.2", "127.0.0.1", "127.0.0.1"])

    def resolve(host, port, *_, **__):
        address = next(looked_up) if host == "crm.internal" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    session = GuardedTransport(OutboundGuard(allow=networks("127.0.0.2/32")))
    with pytest.raises(OSError, match="refused"):
        get(session, remote, "crm.internal", allow_redirects=False)
    assert remote.connected == 0


@pytest.mark.parametrize("options", [{"allow_redirects": False}, {"allow_redirects": True}])
def test_no_proxy_of_the_environment_stands_between(remote, monkeypatch, options):
    """It would look names up and make connections that the guard does not see."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{remote.port}")
    session = GuardedTransport(OutboundGuard(allow=networks(THIS_MACHINE)))
    call = {"allow_redirects": True, "timeout": 5, **options}
    with pytest.raises(NeedsAttention):
        session.request("GET", "http://10.255.255.1/x", **call)
    assert remote.connected == 0
