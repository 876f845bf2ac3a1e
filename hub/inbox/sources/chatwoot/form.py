"""What Chatwoot's own form for webhooks takes, and what its pages can reach.

Source of the facts: the form of a running Chatwoot 4.14.2, tried in a browser. Its API takes every
address.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
from urllib.parse import urlsplit

from hub.sdk.settings import host_of, origin_of

#: The events that are wanted; the others would be taken and ignored.
EVENTS = (
    "contact_created",
    "contact_updated",
    "conversation_created",
    "conversation_updated",
    "conversation_status_changed",
    "message_created",
    "message_updated",
)


def is_refused(url: str) -> bool:
    """Whether the form says 'Please enter a valid URL' to it: it wants a public IPv4 address, or a
    name with a dot in it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.version == 6 or address.is_private


def shares_cookies(url: str, chatwoot: str | None) -> bool:
    """Whether a browser gives pages at ``url`` the cookies of this Chatwoot: they belong to a host,
    whatever the port."""
    if not chatwoot or origin_of(url) == origin_of(chatwoot):
        return False
    return host_of(url) == host_of(chatwoot)


def call(url: str, chatwoot: str | None) -> str:
    """The call that makes the webhook at Chatwoot's API, for a shell: ``ACCOUNT`` and ``TOKEN`` are
    the person's to fill in. Its answer has the signing secret."""
    base = (chatwoot or "https://CHATWOOT").rstrip("/")
    body = json.dumps({"name": "CRM Hub", "url": url, "subscriptions": EVENTS})
    parts = (
        f"curl -sS {shlex.quote(f'{base}/api/v1/accounts/ACCOUNT/webhooks')}",
        "-H 'api-access-token: TOKEN'",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    )
    return " \\\n  ".join(parts)
