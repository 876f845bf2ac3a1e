"""Translating the sentences of plugins.

A catalogue maps English texts to their translations. A name in braces stands for any text:
``"Ticket {id} created."`` also translates "Ticket 99 created.", and keeps the 99. That text may be
a sentence that is translated itself: ``"Given up: {sentence}"``. If a name occurs twice, both stand
for the same text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple

#: The languages, apart from English, that the hub speaks and that plugins should speak.
LANGUAGES: Final = ("fr", "pt_BR", "es")

_NAME = re.compile(r"\\?\{(\w+)\\?\}")


class Origin(NamedTuple):
    """A text of a catalogue, and what is filled in for its names."""

    text: str
    values: Mapping[str, str]


class Translator:
    """Translates into one language."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._catalogue = catalogue

    def __call__(self, sentence: str) -> str:
        """The translation, or the sentence itself where the catalogue has none."""
        if (known := self._catalogue.get(sentence)) is not None:
            return known
        for pattern, _, translation in self._templates:
            if found := pattern.fullmatch(sentence):
                # Each value is shorter than the sentence, so the recursion ends.
                values = {name: self(value) for name, value in found.groupdict().items()}
                return translation.format_map(values)
        return sentence

    def origin(self, sentence: str) -> Origin | None:
        """The text of the catalogue that the sentence is made from, if it has one."""
        if sentence in self._catalogue:
            return Origin(sentence, {})
        for pattern, template, _ in self._templates:
            if found := pattern.fullmatch(sentence):
                return Origin(template, found.groupdict())
        return None

    def knows(self, sentence: str) -> bool:
        """Whether the catalogue has the sentence, as it is or as a template."""
        return self.origin(sentence) is not None

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str, str]]:
        """Templates as patterns, as they are and translated; the most fixed text comes first."""
        templates = [text for text in self._catalogue if _NAME.search(text)]
        templates.sort(key=lambda text: len(_NAME.sub("", text)), reverse=True)
        return [(_pattern(text), text, self._catalogue[text]) for text in templates]


def for_people(text: str) -> str:
    """Marks a sentence of the hub itself for its catalogues. It is translated when it is shown."""
    return text


def _pattern(template: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def group(found: re.Match[str]) -> str:
        name = found[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+?)"

    return re.compile(_NAME.sub(group, re.escape(template)), re.DOTALL)
