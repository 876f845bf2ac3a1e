"""Texts in the languages that people read: catalogues as JSON, English being the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

#: The languages and what they call themselves. English needs no catalogue.
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "fr": "Français",
    "pt_BR": "Português (Brasil)",
    "es": "Español",
}


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English text -> its translation."""
    if language == "en":
        return {}
    file = resources.files(__package__) / f"{language}.json"
    loaded: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def catalogues() -> dict[str, Mapping[str, str]]:
    """All catalogues, by language: what the plugin's manifest gives to the hub."""
    return {language: catalogue(language) for language in LANGUAGES if language != "en"}


def phrase(text: str, language: str, **values: Any) -> str:
    """A text in a language, with its braces filled in. English where a translation is missing."""
    return catalogue(language).get(text, text).format(**values)
