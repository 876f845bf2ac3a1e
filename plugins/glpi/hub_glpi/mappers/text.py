"""Texts as HTML: customers' escaped, agents' Markdown rendered."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from html import escape, unescape
from typing import Final

from markdown_it import MarkdownIt

#: Longer texts are cut; GLPI keeps them, but nobody reads them there.
MAX_TEXT: Final = 100_000
_TAG = re.compile(r"<[^>]*>")
_CODE_BLOCK = re.compile(r"(<pre>.*?</pre>)", re.DOTALL)
_NOT_PRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def plain_to_html(text: str) -> str:
    """A customer's text: nothing in it is markup, and its lines stay lines."""
    lines = escape(_printable(text).strip()).split("\n")
    return f"<p>{'<br>'.join(line.rstrip() for line in lines)}</p>" if any(lines) else ""


def markdown_to_html(text: str) -> str:
    """An agent's text, which is Markdown. HTML in it is shown as it was typed."""
    html = _markdown().render(_printable(text).strip()).strip()
    # GLPI turns newlines into breaks where it takes a text for plain; only code needs them.
    return "".join(
        part if part.startswith("<pre>") else part.replace("\n", "")
        for part in _CODE_BLOCK.split(html)
    )


def fingerprint(html: str) -> str:
    """What a text and its shape after a trip through GLPI have in common.

    Only letters and digits count, since versions differ in what they encode, and old databases
    lose characters outside of the basic plane.
    """
    words, encoded = html, ""
    while words != encoded:
        encoded, words = words, unescape(words)
    words = _TAG.sub(" ", words)
    kept = "".join(char for char in words if char.isalnum() and ord(char) < 0x10000)
    return hashlib.sha256(kept.casefold().encode()).hexdigest()[:32]


def _printable(text: str) -> str:
    text = _NOT_PRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


@cache
def _markdown() -> MarkdownIt:
    # Images would load from elsewhere whenever someone opens the ticket.
    return (
        MarkdownIt("commonmark", {"html": False, "breaks": True})
        .enable(["strikethrough", "table"])
        .disable(["image", "html_block", "html_inline"])
    )
