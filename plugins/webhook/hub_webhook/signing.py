"""Signatures of the Standard Webhooks specification, version 1 (symmetric).

Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
#: The bounds of a secret, in bytes.
SHORTEST, LONGEST = 24, 64


class BadSecret(Exception):
    """The secret does not have the form of the specification."""


def key_of(secret: str) -> bytes:
    """The bytes of a secret, with or without its prefix.

    :raises BadSecret: it is not base64 of 24 to 64 bytes.
    """
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSecret from error
    if not SHORTEST <= len(key) <= LONGEST:
        raise BadSecret
    return key


def headers(
    message_id: str, moment: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """The headers for a body. They hold one signature for each secret, so that the receiver can
    change to the new secret at any time."""
    timestamp = str(int(moment.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (hmac.new(key_of(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(signature).decode()}" for signature in signatures
        ),
    }
