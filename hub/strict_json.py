"""Strict JSON: UTF-8 only, bounded in depth, and with texts that every database takes.

``msgspec`` reads what is well, several times as fast as ``json``, which then says what is not well
with the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

import msgspec

#: Nested objects and lists. Real webhooks have under ten levels.
MOST_LEVELS = 64
#: Digits of a number.
MOST_DIGITS = 40

#: Possessive, and content with a missing end: linear in whatever somebody sends.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_DIGITS_AS_NOUGHTS = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS = b"0" * (MOST_DIGITS + 1)
_decode = msgspec.json.Decoder().decode
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadJson(Exception):
    """A body that is not JSON as we take it; ``sentence`` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def loads(body: bytes) -> Any:
    """The value of a JSON text.

    NUL characters and lone surrogates, which databases refuse, become U+FFFD: they lose nothing
    that a person could read.

    :raises BadJson: it is not JSON, or deeper or longer in its numbers than we take.
    """
    _bound_depth(body)
    try:
        value = read_quickly(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Not JSON, a number that is too long, or half a surrogate pair.
        value = read_slowly(body)
    return _storable(value) if _SUSPECT.search(body) else value


def _bound_depth(body: bytes) -> None:
    """Count brackets outside of strings before the parser, which recurses, sees them."""
    if body.count(b"[") + body.count(b"{") <= MOST_LEVELS:
        return
    depth = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MOST_LEVELS:
            raise BadJson(f"The body is nested deeper than {MOST_LEVELS} levels.")


def read_quickly(body: bytes) -> Any:
    """The value of a body that is well.

    :raises msgspec.DecodeError, UnicodeDecodeError: it may not be.
    """
    if _MANY_DIGITS in body.translate(_DIGITS_AS_NOUGHTS):
        raise msgspec.DecodeError("so many digits may be a number")
    return _decode(body)


def read_slowly(body: bytes) -> Any:
    """The value, or what is wrong with the body.

    :raises BadJson: see ``loads``.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8 (byte {error.start}).") from error
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_real
        )
    except json.JSONDecodeError as error:
        raise BadJson(
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON.")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise BadJson(f"A number has more than {MOST_DIGITS} digits.")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits) if len(digits) <= 10 * MOST_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise BadJson("A number is too large.")
    return value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("�", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
