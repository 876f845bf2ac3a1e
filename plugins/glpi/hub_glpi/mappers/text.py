"""Texts as HTML: customers' escaped, agents' Markdown rendered; addresses in both are links."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from html import escape, unescape
from typing import Any, Final

from linkify_it import LinkifyIt
from linkify_it.main import Match
from linkify_it.tlds import TLDS
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

#: Longer texts are cut; GLPI keeps them, but nobody reads them there.
MAX_TEXT: Final = 100_000
#: How Chatwoot names a colleague in a note: ``[@Ada](mention://user/1/Ada)``.
_MENTION: Final = "mention://"
_LINKED: Final = ("http:", "https:", "mailto:")
_LONGEST_ADDRESS: Final = 2_048
_MAY_BE_ADDRESS = re.compile(r"://|@|www\.|mailto:", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_TAG = re.compile(r"<[^>]*>")
_CODE_BLOCK = re.compile(r"(<pre>.*?</pre>)", re.DOTALL)
_NOT_PRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLANK_LINES_BEFORE = re.compile(r"\A(?:[^\S\n]*\n)+")
_SPACES = re.compile(r"^ +| {2,}")


def plain_to_html(text: str) -> str:
    """A customer's text as it was typed: nothing in it is markup, its lines and spaces stay, and
    its addresses are links."""
    typed = _BLANK_LINES_BEFORE.sub("", _printable(text)).rstrip()
    lines = [_line_to_html(line.rstrip()) for line in typed.split("\n")]
    return f"<p>{'<br>'.join(lines)}</p>" if typed else ""


def escaped(text: str) -> str:
    """A text of which nothing is markup, and nothing is made a link."""
    return f"<p>{escape(_printable(text))}</p>"


def markdown_to_html(text: str) -> str:
    """An agent's text, which is Markdown. HTML in it is shown as it was typed."""
    return _rendered(_agents_markdown(), text)


def plain_markdown_to_html(text: str) -> str:
    """Markdown without what Chatwoot and this plugin add to it: mentions and found addresses."""
    return _rendered(_markdown(), text)


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


class _Addresses(LinkifyIt):  # type: ignore[misc]
    """Finds addresses that are meant as such: ``config.py`` and ``//`` are none.

    Looks at one word at a time, since the search takes the square of a text's length for texts
    made to that end.
    """

    def pretest(self, text: str) -> bool:
        """See ``LinkifyIt.pretest``."""
        return _MAY_BE_ADDRESS.search(text) is not None

    test = pretest

    def match(self, text: str) -> list[Match] | None:
        """See ``LinkifyIt.match``."""
        found = []
        for word in _WORD.finditer(text):
            if len(word[0]) <= _LONGEST_ADDRESS and self.pretest(word[0]):
                for match in super().match(word[0]) or []:
                    match.index += word.start()
                    match.last_index += word.start()
                    found.append(match)
        return [
            match
            for match in found
            if match.schema in _LINKED or match.raw.lower().startswith("www.")
        ] or None


class _AgentsMarkdown(MarkdownIt):
    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        """An address is shown as it was typed."""
        return link


def _line_to_html(line: str) -> str:
    line = _SPACES.sub(_unfolded, line.replace("\t", "    "))
    parts, end = [], 0
    for match in _addresses().match(line) or []:
        parts.append(escape(line[end : match.index]))
        parts.append(f'<a href="{escape(match.url, quote=True)}">{escape(match.raw)}</a>')
        end = match.last_index
    return "".join(parts) + escape(line[end:])


def _unfolded(spaces: re.Match[str]) -> str:
    """Spaces of which a browser would leave one, or none at the start of a line."""
    hard = len(spaces[0]) - (spaces.start() > 0)
    return "\xa0" * hard + " " * (spaces.start() > 0)


def _printable(text: str) -> str:
    text = _NOT_PRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _rendered(markdown: MarkdownIt, text: str) -> str:
    html = markdown.render(_printable(text).strip()).strip()
    # GLPI turns newlines into breaks where it takes a text for plain; only code needs them.
    return "".join(
        part if part.startswith("<pre>") else part.replace("\n", "")
        for part in _CODE_BLOCK.split(html)
    )


def _mentions(state: StateCore) -> None:
    """Names in place of links that lead nowhere outside of Chatwoot."""
    for block in state.tokens:
        is_mention = False
        for token in block.children or ():
            if token.type == "link_open":
                is_mention = str(token.attrGet("href") or "").startswith(_MENTION)
            if is_mention and token.type in ("link_open", "link_close"):
                token.tag, token.attrs = "strong", {}


@cache
def _addresses() -> LinkifyIt:
    return _Addresses().tlds(TLDS)


@cache
def _agents_markdown() -> MarkdownIt:
    markdown = _set_up(_AgentsMarkdown("commonmark", {**_OPTIONS, "linkify": True}))
    markdown.linkify = _addresses()
    # The inline rule of this name takes too long for texts made to that end.
    markdown.core.ruler.enable("linkify")
    markdown.core.ruler.push("mentions", _mentions)
    return markdown


@cache
def _markdown() -> MarkdownIt:
    return _set_up(MarkdownIt("commonmark", _OPTIONS))


_OPTIONS: Final[dict[str, Any]] = {"html": False, "breaks": True}


def _set_up(markdown: MarkdownIt) -> MarkdownIt:
    # Images would load from elsewhere whenever someone opens the ticket.
    return markdown.enable(["strikethrough", "table"]).disable(
        ["image", "html_block", "html_inline"]
    )
