"""A sentence with the field that is to blame for it, as one text."""

from __future__ import annotations

import re

from hub.sdk.translation import for_people

#: A sentence ends with a mark, a field's name has no space: what else stands in brackets is text.
_BLAMED = re.compile(r"(.*[.!?…]) \(([^\s()]+)\)", re.DOTALL)


def blaming(sentence: str, field: str | None) -> str:
    """The sentence with the field behind it, if one is to blame."""
    return for_people(f"{sentence} ({field})") if field else sentence


def parted(text: str) -> tuple[str, str | None]:
    """The sentence and the field of a text that ``blaming`` made."""
    found = _BLAMED.fullmatch(text)
    return (found[1], found[2]) if found else (text, None)
