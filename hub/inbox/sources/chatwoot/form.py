"""Which webhook addresses Chatwoot's form accepts, and how to do without the form.

The facts were tried in a browser, with the form of a running Chatwoot 4.14.2. Its API accepts every
address.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
from urllib.parse import urlsplit

from hub.sdk.settings import host_of, origin_of

#: The events that the hub uses. It would accept the others and ignore them.
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
    """Whether the form refuses this address with 'Please enter a valid URL'. It accepts public IPv4
    addresses, and names with a dot in them."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.version == 6 or address.is_private


def shares_cookies(url: str, chatwoot: str | None) -> bool:
    """Whether a browser sends the cookies of this Chatwoot to ``url``, too. Cookies belong to a
    host, whatever the port."""
    if not chatwoot or origin_of(url) == origin_of(chatwoot):
        return False
    return host_of(url) == host_of(chatwoot)


def call(url: str, chatwoot: str | None) -> str:
    """The shell command that creates the webhook through Chatwoot's API. A person has to fill in
    ``ACCOUNT`` and ``TOKEN``. The answer holds the signing secret."""
    base = (chatwoot or "https://CHATWOOT").rstrip("/")
    body = json.dumps({"name": "CRM Hub", "url": url, "subscriptions": EVENTS})
    parts = (
        f"curl -sS {shlex.quote(f'{base}/api/v1/accounts/ACCOUNT/webhooks')}",
        "-H 'api-access-token: TOKEN'",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    )
    return " \\\n  ".join(parts)
