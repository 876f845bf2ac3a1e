"""Chatwoot's signature: each recorded request gets the verdict that helps the operator most."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from hub.inbox.sources import KINDS, BadSignature
from hub.sdk.testing import payloads

CHATWOOT = KINDS["chatwoot"]
SECRET = "kq3Vw8TzN5yRb2MhXcJp7LdF"

#: The eleven recorded requests; ``None``: accepted.
VERDICTS = {
    "valid_html_escaped": None,
    "valid_non_ascii": None,
    "body_changed": "wrong",
    "timestamp_changed": "wrong",
    "wrong_secret": "wrong",
    "stale_10_minutes": "stale",
    "from_the_future_10_minutes": "stale",
    "unsigned_old_chatwoot": "missing",
    "delivery_id_only_api_inbox_4_12": "missing",
    "reserialised_body": "wrong",
    "signature_without_prefix": "malformed",
}


def verdict(secret, headers, body, now):
    try:
        CHATWOOT.verify(secret, headers, body, now)
    except BadSignature as error:
        refused = error
    else:
        return None
    assert refused.sentence.endswith(".")
    assert secret not in refused.sentence
    return refused.code


def sign(timestamp: str, body: bytes = b"{}") -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {
        "x-chatwoot-timestamp": timestamp,
        "x-chatwoot-signature": f"sha256={digest.hexdigest()}",
    }


def test_all_recorded_requests_have_a_stated_verdict():
    assert [case["name"] for case in payloads.signed_deliveries()] == list(VERDICTS)


@pytest.mark.parametrize("case", payloads.signed_deliveries(), ids=lambda case: case["name"])
def test_verdict(case):
    headers = {name.lower(): value for name, value in case["headers"].items()}
    found = verdict(case["secret"], headers, case["body"].encode(), case["now"])
    assert found == VERDICTS[case["name"]]


@pytest.mark.parametrize(
    ("age", "code"), [(0, None), (300, None), (-300, None), (301, "stale"), (-301, "stale")]
)
def test_the_age_window_is_open_in_both_directions(age, code):
    assert verdict(SECRET, sign("1784023320"), b"{}", 1_784_023_320 + age) == code


@pytest.mark.parametrize("timestamp", ["", " ", "-1", "1e9", "12.5", "soon", "²", "9" * 5_000])
def test_a_timestamp_that_is_no_moment_is_refused_even_if_signed(timestamp):
    assert verdict(SECRET, sign(timestamp), b"{}", 0) in ("missing", "malformed")


def test_a_signature_of_strange_characters_is_wrong():
    headers = {**sign("1784023320"), "x-chatwoot-signature": "sha256=\xff\ud800"}
    assert verdict(SECRET, headers, b"{}", 1_784_023_320) == "wrong"
