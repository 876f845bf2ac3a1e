"""Keeping secrets out of traces and logs."""

from __future__ import annotations

import json

import pytest

from hub.sdk import Redactor
from hub.sdk.redaction import MASK

PLANTED = "planted-4711"


@pytest.mark.parametrize(
    "body",
    [
        {"password": PLANTED},
        {"input": [{"api_key": PLANTED}]},
        {"session_token": PLANTED, "session": {"valid_id": PLANTED}},
        {"Authorization": f"user_token {PLANTED}"},
        {"comment": f"the key is {PLANTED}."},
        f'broken json "user_token": "{PLANTED}',
    ],
)
def test_no_secret_stays_in_a_body(body):
    text = Redactor([PLANTED]).body(body, 500)
    assert PLANTED not in text
    assert MASK in text


def test_values_of_secret_names_are_masked_although_unknown():
    assert Redactor().body({"access_key": "xyz", "name": "Ann"}, 500) == (
        f'{{"access_key": "{MASK}", "name": "Ann"}}'
    )


def test_a_secret_across_the_cut_is_masked():
    text = Redactor([PLANTED]).body("x" * 95 + PLANTED, 100)
    assert "plant" not in text


def test_urls_lose_their_credentials():
    url = Redactor([PLANTED]).url(f"https://me:pw@crm.example/x?token=abc&q=1&z={PLANTED}")
    assert url == "https://crm.example/x?token=%5Bsecret%5D&q=1&z=[secret]"


def test_short_secrets_do_not_black_out_text():
    assert Redactor(["a"]).text("a banana") == "a banana"


def test_data_is_masked_at_any_depth():
    value = {"a": [{"secret_key": "s", "b": f"has {PLANTED}"}], "n": 1}
    assert json.dumps(Redactor([PLANTED]).data(value)) == json.dumps(
        {"a": [{"secret_key": MASK, "b": f"has {MASK}"}], "n": 1}
    )


def test_a_secret_name_is_known_in_its_escaped_form():
    url = Redactor().url("https://crm.example.com/x?%61ccess%4Bey=abcdef&a%5B0%5D=1")
    assert "abcdef" not in url
    assert "a%5B0%5D=1" in url
