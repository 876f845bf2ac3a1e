"""Strict JSON."""

from __future__ import annotations

import contextlib
import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import strict_json
from hub.strict_json import (
    BadJson,
    loads,
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"event": "contact_cre', "not JSON"),
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "more than 40 digits"),
        (b'{"a": ' + b"9" * 41 + b"}", "more than 40 digits"),
        (b'{"a": 1e999}', "too large"),
    ],
)
def test_what_is_refused(body, reason):
    with pytest.raises(BadJson, match=reason):
        loads(body)


def test_brackets_in_texts_are_not_depth():
    value = {"a": "[{" * 1_000, "b": '\\"[' * 100}
    assert loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b'["' + b'\\"' * 1_000_000 + b"[" * 99,
        b'["' + b"x" * 8_000_000 + b'"' + b", []" * 99 + b"]",
        b"\\" * 4_000_000 + b"[]" * 99,
        b'"[' * 1_000_000,
        b"[" + b"9" * 8_000_000 + b".5e-9]",
        b"9" * 8_000_000,
        b"[" + (b"9" * 4_300 + b",") * 1_800 + b"1]",
    ],
    ids=[
        *("text without an end", "long text", "backslashes", "quotes"),
        *("long real", "long integer", "long integers"),
    ],
)
def test_a_hostile_body_costs_no_more_than_its_length(body):
    started = time.process_time()
    with contextlib.suppress(BadJson):
        loads(body)
    assert time.process_time() - started < 5, "some tenths of a second are usual"


_NUMBER = st.from_regex(r"-?[0-9]{0,45}\.?[0-9]{0,45}([eE][+-]?[0-9]{0,4})?", fullmatch=True)
_ESCAPE = st.from_regex(r"\\(u[0-9a-fA-F]{4}|[a-z\"\\/])", fullmatch=True)
_PIECES = st.lists(
    _NUMBER
    | _ESCAPE
    | st.text()
    | st.sampled_from([*'[]{},:"', '"a":', "null", "NaN", " ", "\ufeff"])
)


@given(_PIECES.map("".join) | _NUMBER | _PIECES.map(lambda pieces: f'["{"".join(pieces)}"]'))
def test_the_quick_reader_takes_nothing_that_the_slow_one_reads_otherwise(text):
    body = text.encode("utf-8", "surrogatepass")
    try:
        quickly = strict_json.read_quickly(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    assert repr(strict_json.read_slowly(body)) == repr(quickly)


def test_what_databases_refuse_is_replaced():
    assert loads(b'{"a\\u0000": ["x\\ud800y", "\\ud83d\\ude00"]}') == {"a�": ["x�y", "😀"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_every_value_is_storable(value):
    loaded = loads(json.dumps(value).encode())
    assert "\x00" not in json.dumps(loaded, ensure_ascii=False)
    json.dumps(loaded, ensure_ascii=False).encode()
