"""Whether a sentence is one for people."""

from __future__ import annotations

import re

#: Words of programs, not of people.
_PROGRAM = re.compile(
    r"Traceback|Exception\b|Error\(|Errno|urllib3|HTTPConnectionPool|<[a-z!]+[^>]*>|object at 0x"
    r"|\bNone\b|\{\w*\}|\bdict_|'[a-z_]+':"
)
_LONGEST = 500


def fault_of(sentence: str) -> str | None:
    """What a person would stumble over in it, if anything."""
    if not sentence.strip():
        return "It is empty."
    if len(sentence) > _LONGEST:
        return f"It has {len(sentence)} characters."
    if not sentence.rstrip("\"'»”)").endswith((".", "!", "?")):
        return "It does not end as a sentence."
    if found := _PROGRAM.search(sentence):
        return f"It speaks as a program does: {found[0]}"
    return None


def assert_human(sentence: str) -> None:
    """Fail with what a person would stumble over."""
    fault = fault_of(sentence)
    assert fault is None, f"{fault} In: {sentence!r}"
