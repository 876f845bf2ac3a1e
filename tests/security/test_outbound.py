"""The outbound address guard."""

from __future__ import annotations

import ipaddress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hub.delivery.transport import new_session
from hub.sdk import NeedsAttention
from hub.security.outbound import ForbiddenAddress, OutboundGuard
from tests.support.web import serving


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "0.0.0.0", "224.0.0.1", "::"],
)
def test_reserved_addresses_are_never_called(address):
    everything = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    with pytest.raises(ForbiddenAddress):
        OutboundGuard(allow=everything).check_address(address)


def test_private_networks_are_open_until_they_are_denied():
    private = ipaddress.ip_network("10.0.0.0/8")
    OutboundGuard().check_address("10.1.2.3")
    guard = OutboundGuard(allow=(ipaddress.ip_network("10.1.0.0/16"),), deny=(private,))
    guard.check_address("10.1.2.3")
    with pytest.raises(ForbiddenAddress, match="HUB_OUTBOUND_DENY"):
        guard.check_address("10.2.2.3")


def test_only_http_and_https():
    with pytest.raises(ForbiddenAddress):
        OutboundGuard().check("file:///etc/passwd")


def test_a_connection_to_a_denied_address_is_closed_before_a_byte_is_sent():
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        session = new_session(OutboundGuard(deny=(ipaddress.ip_network("127.0.0.0/8"),)))
        with pytest.raises(NeedsAttention):
            session.get(f"http://localhost:{server.server_port}/secret", timeout=5)
    assert seen == []
