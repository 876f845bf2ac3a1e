"""Chatwoot's signature, since 4.11.2: ``sha256=`` followed by the hex HMAC-SHA256. The signed text
is the timestamp, a full stop and the raw body. The key is the secret as it is written."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from hub.inbox.sources.kind import TOLERANCE, BadSignature

HEADER = "x-chatwoot-signature"
TIMESTAMP = "x-chatwoot-timestamp"
_PREFIX = "sha256="
#: Digits of unix seconds, with room for some 30,000 years.
_MOST_DIGITS = 12


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Check that the request was signed with the secret, and recently.

    :raises BadSignature: it was not.
    """
    given, timestamp = headers.get(HEADER), headers.get(TIMESTAMP)
    if not given or not timestamp:
        raise BadSignature(
            "missing",
            "The request is not signed. Chatwoot signs since 4.11.2; for an older one allow "
            "unsigned requests for this source.",
        )
    is_moment = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _MOST_DIGITS
    if not given.startswith(_PREFIX) or not is_moment:
        raise BadSignature("malformed", "The signature or its timestamp is malformed.")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    # Compared as bytes, because ``compare_digest`` refuses texts that are not ASCII.
    if not hmac.compare_digest(
        given.removeprefix(_PREFIX).encode("utf-8", "replace"), expected.hexdigest().encode()
    ):
        raise BadSignature(
            "wrong",
            "The signature is wrong: the signing secret of this source is not the webhook's.",
        )
    age = now - int(timestamp)
    if abs(age) > TOLERANCE:
        when = "old" if age > 0 else "ahead of the hub's clock"
        raise BadSignature("stale", f"The request is {abs(age):.0f} seconds {when}.")
