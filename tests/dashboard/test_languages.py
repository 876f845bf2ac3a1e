"""The catalogues: every text of the dashboard in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from hub.dashboard import languages
from hub.dashboard.extraction import sentences

ROOT = Path(__file__).parent.parent.parent
OTHERS = [language for language in languages.LANGUAGES if language != languages.DEFAULT]
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def texts() -> set[str]:
    """Everything that is said in English."""
    found: set[str] = set()
    sources = [
        *(("python", path) for path in (ROOT / "hub/dashboard").rglob("*.py")),
        *(("jinja2", path) for path in (ROOT / "hub/dashboard/templates").rglob("*.html")),
        *(
            (sentences, path)
            for part in ("accounts", "access", "inbox")
            for path in (ROOT / "hub" / part).rglob("*.py")
        ),
    ]
    for method, path in sources:
        for _, message, _, _ in extract_from_file(method, path, options={"newstyle_gettext": "1"}):
            found.update([message] if isinstance(message, str) else [m for m in message if m])
    return found


def test_the_texts_are_found():
    found = texts()
    assert "Sign in" in found
    assert "There is an account named {name} already." in found
    assert "%(num)s request was refused and is held." in found
    assert len(found) > 400


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language):
    with (languages.LOCALE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    known = {}
    for message in catalogue:
        if message.id and not message.fuzzy:
            ids = [message.id] if isinstance(message.id, str) else list(message.id)
            told = [message.string] if isinstance(message.string, str) else list(message.string)
            known.update(dict.fromkeys(ids, (ids, told)))
    missing = sorted(text for text in texts() if not all(known.get(text, ([], [""]))[1]))
    assert missing == [], "run 'make translations', then translate"
    for text, (ids, told) in known.items():
        for translation in told:
            wanted = set(_PLACEHOLDER.findall(ids[-1]))
            assert set(_PLACEHOLDER.findall(translation)) == wanted, text


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_all_its_plurals(language):
    with (languages.LOCALE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in catalogue:
        if message.pluralizable:
            assert len(message.string) == catalogue.num_plurals, message.id
