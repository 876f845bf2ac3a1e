"""The inbox behind a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from hub.accounts import accounts, hooks, sources
from hub.models import Source
from tests.support.crm import Crm, make_plugin
from tests.support.web import serving

SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"


class Door:
    """A source's address, and ways to knock."""

    def __init__(self, app: Flask, url: str) -> None:
        self.app = app
        self.url = url
        account = accounts.create("Acme")
        self.source: Source = sources.create(
            account, "chatwoot", signing_secret=SECRET, base_url="https://chat.example.com"
        )
        self.hook = hooks.create(account, "crm", {})[0]
        self.session = requests.Session()

    @property
    def address(self) -> str:
        return f"{self.url}/webhooks/chatwoot/{self.source.token}"

    def signed(
        self, body: bytes, *, secret: str = SECRET, age: int = 0, delivery_id: str | None = None
    ) -> dict[str, str]:
        timestamp = str(int(time.time()) - age)
        digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        return {
            "Content-Type": "application/json",
            "X-Chatwoot-Delivery": delivery_id or str(uuid.uuid4()),
            "X-Chatwoot-Timestamp": timestamp,
            "X-Chatwoot-Signature": f"sha256={digest.hexdigest()}",
        }

    def knock(self, body: bytes, **options: object) -> requests.Response:
        """Post a body with a valid signature, but for what the options change."""
        return self.post(body, self.signed(body, **options))  # type: ignore[arg-type]

    def post(self, body: bytes, headers: dict[str, str], url: str = "") -> requests.Response:
        return self.session.post(url or self.address, data=body, headers=headers, timeout=30)


@pytest.fixture
def door(make_app: Callable[..., Flask], crm: Crm) -> Iterator[Door]:
    app = make_app(make_plugin(crm))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with serving(server), app.app_context():
        yield Door(app, f"http://127.0.0.1:{server.server_port}")
