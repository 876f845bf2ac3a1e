"""Texts in the languages that people read: catalogues as JSON, English being the key."""

from __future__ import annotations

import json
from importlib import resources


def catalogues() -> dict[str, dict[str, str]]:
    """All catalogues, by language."""
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(".json")]
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
        for file in files
    }
