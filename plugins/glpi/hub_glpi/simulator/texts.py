"""How GLPI gives text back: entity-encoded, in answers as in messages."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from hub_glpi.simulator.releases import Release

_NUMERIC = str.maketrans({"<": "&#60;", ">": "&#62;", "&": "&#38;"})
_NAMED = str.maketrans({"<": "&lt;", ">": "&gt;"})
_TAG = re.compile(r"<[^>]*>")
_NOT_BASIC = re.compile(r"[\U00010000-\U0010ffff]")
# The order of punctuation in MariaDB's utf8mb4_unicode_ci, before digits and letters.
_PUNCTUATION = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_RANK = {character: chr(rank) for rank, character in enumerate(_PUNCTUATION, start=1)}


def encoded(text: str, release: Release) -> str:
    """Text as the API shows it (trap 10: encoded once more than it was sent)."""
    return text.translate(_NUMERIC if release.numeric_entities else _NAMED)


def stored(text: str, release: Release) -> str:
    """Text as the database keeps it."""
    return text if release.four_byte_characters else _NOT_BASIC.sub("????", text)


def added(name: str, release: Release) -> str:
    """The message about a new item."""
    if release.numeric_entities:
        return f"Item successfully added: {encoded(name, release)}"
    return f"Item successfully added: {_TAG.sub('', name).replace('&', '&amp;')}"


def plain(html: str) -> str:
    """HTML without its tags, in one line."""
    return " ".join(_TAG.sub(" ", html).split())


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


_folded_once = lru_cache(maxsize=100_000)(_folded)


def folded(text: str) -> str:
    """Text as the database compares it: without case and accents (``utf8mb4_unicode_ci``)."""
    return _folded_once(text) if len(text) < 256 else _folded(text)


def sort_key(text: str) -> str:
    """Sorts as the database does: punctuation, digits, letters."""
    return "".join(_RANK.get(character, character) for character in folded(text))
