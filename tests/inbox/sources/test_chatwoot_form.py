"""What Chatwoot's form for webhooks takes, as it was tried in a browser."""

from __future__ import annotations

import json
import shlex

import pytest

from hub.inbox.sources.chatwoot import form

REFUSED = [
    "http://localhost:8000",
    "http://hub:8000",
    "http://127.0.0.1:8000",
    "http://127.5.5.5",
    "http://10.1.2.3",
    "http://172.16.0.1",
    "http://172.31.0.1:8000",
    "http://192.168.1.5",
    "http://[::1]:8000",
    "https://[2a00:1450:4001:800::200e]",
]
TAKEN = [
    "http://hub.internal:8000",
    "http://host.docker.internal:8000",
    "https://hub.example.com",
    "http://172.32.0.1",
    "http://8.8.8.8:8000",
]
HOOK = "/webhooks/chatwoot/abc"


@pytest.mark.parametrize("url", REFUSED)
def test_the_form_refuses(url):
    assert form.is_refused(url + HOOK)


@pytest.mark.parametrize("url", TAKEN)
def test_the_form_takes(url):
    assert not form.is_refused(url + HOOK)


@pytest.mark.parametrize(
    ("url", "chatwoot", "shares"),
    [
        ("http://chat.example.com:8000", "https://chat.example.com", True),
        ("http://localhost:8000", "http://LOCALHOST:3000/", True),
        ("https://chat.example.com:443", "https://chat.example.com", False),
        ("https://hub.example.com", "https://chat.example.com", False),
        ("https://hub.example.com", None, False),
    ],
)
def test_who_shares_cookies(url, chatwoot, shares):
    assert form.shares_cookies(url + HOOK, chatwoot) == shares


def test_the_call_is_ready_for_a_shell():
    words = shlex.split(form.call("http://hub:8000" + HOOK, "https://chat.example.com/"))
    words = [word for word in words if word.strip()]
    assert words[:3] == [
        *("curl", "-sS", "https://chat.example.com/api/v1/accounts/ACCOUNT/webhooks"),
    ]
    body = json.loads(words[-1])
    assert (body["url"], body["subscriptions"]) == ("http://hub:8000" + HOOK, list(form.EVENTS))
