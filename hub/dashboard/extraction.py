"""Finds the sentences of the core that people read, for the catalogues (``make translations``).

They are said in English where a thing goes wrong, and translated where they are shown. What is
filled in is a name in braces: ``f"There is no user {email}."`` becomes "There is no user {email}."
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, BinaryIO

#: What carries a sentence for people.
_CARRIERS = frozenset(
    {
        *("Refused", "NotFound", "BadSignature", "BadPayload", "TooManyTries"),
        *("BadJson", "Unstorable", "ForbiddenAddress", "Undecryptable"),
        *("UnreadableEvent", "UnreadableSettings"),
        *("RetryLater", "Postpone", "Skip", "Rejected", "NeedsAttention"),
        *("__init__", "for_people", "Sentence"),
    }
)
#: How they end. What is filled in at the end may be a sentence itself.
_ENDS = (".", "?", "}", ")")

Message = tuple[int, str, str, list[str]]


def sentences(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Message]:
    """An extraction method for Babel: line, function, text and comments of each sentence."""
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call) or _name(node.func) not in _CARRIERS:
            continue
        for argument in node.args:
            text = _text(argument)
            if text and " " in text and text.endswith(_ENDS):
                yield node.lineno, "", text, []


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_piece(part) for part in node.values)
    return None


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        names = [
            part for part in ast.walk(node.value) if isinstance(part, ast.Name | ast.Attribute)
        ]
        return "{" + (_name(names[0]) if names else "value").lower() + "}"
    assert isinstance(node, ast.Constant)
    return str(node.value)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
