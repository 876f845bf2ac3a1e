"""Texts: cleaning, measuring and cutting them, and telling whether two are the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from html import unescape
from typing import Final

_ELLIPSIS: Final = "…"
_NOT_TEXT: Final = ("Cc", "Zl", "Zp", "Zs", "Cs")
_NOT_PRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def one_line(text: str) -> str:
    """Without control characters, and with single plain spaces."""
    kept = "".join(" " if unicodedata.category(char) in _NOT_TEXT else char for char in text)
    return " ".join(kept.split())


def lines(text: str) -> str:
    """Without control characters; lines stay lines, but empty ones go."""
    text = _NOT_PRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())


def length(text: str) -> int:
    """Characters as LeadSquared counts them: those outside of the basic plane are two."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def cut(text: str, room: int) -> str:
    """The text, or as much of its beginning as fits into ``room`` with an ellipsis."""
    if length(text) <= room:
        return text
    if room < 1:
        return ""
    # A character outside of the basic plane counts as two, so this is at most twice too long.
    kept = text[: room - 1]
    while length(kept) > room - 1:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def fingerprint(note: str) -> str:
    """What a note and its shape after a trip through LeadSquared have in common.

    Only letters and digits count, so neither encoding for HTML nor white space matters.
    """
    kept = "".join(char for char in unescape(note) if char.isalnum() and ord(char) <= 0xFFFF)
    return hashlib.sha256(kept.casefold().encode()).hexdigest()[:32]
