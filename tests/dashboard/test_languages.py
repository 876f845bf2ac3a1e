"""The catalogues: every text of the dashboard in every language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from hub_glpi import plugin

from hub.dashboard import languages
from hub.dashboard.extraction import sentences
from hub.sdk import Translator

ROOT = Path(__file__).parent.parent.parent
OTHERS = [language for language in languages.LANGUAGES if language != languages.DEFAULT]
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def said_in() -> list[Path]:
    """The files of the core that say sentences to people."""
    patterns = re.findall(r"^\[sentences: (\S+)\]", (ROOT / "babel.cfg").read_text(), re.MULTILINE)
    return [path for pattern in patterns for path in ROOT.glob(pattern.replace("**.py", "**/*.py"))]


def texts() -> set[str]:
    """Everything that is said in English."""
    found: set[str] = set()
    sources = [
        *(("python", path) for path in (ROOT / "hub/dashboard").rglob("*.py")),
        *(("jinja2", path) for path in (ROOT / "hub/dashboard/templates").rglob("*.html")),
        *((sentences, path) for path in said_in()),
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
    found = texts()
    missing = sorted(text for text in found if not all(known.get(text, ([], [""]))[1]))
    assert missing == [], "run 'make translations', then translate"
    unknown = sorted(text for text, (ids, _) in known.items() if found.isdisjoint(ids))
    assert unknown == [], "'make translations' would remove these: is a room missing in babel.cfg?"
    for text, (ids, told) in known.items():
        for translation in told:
            wanted = set(_PLACEHOLDER.findall(ids[-1]))
            assert set(_PLACEHOLDER.findall(translation)) == wanted, text


SENTENCES = (
    "Kept back until 2026-11-28, in vain. "
    "It is not known yet who the customer is: neither email nor phone number.",
    "A newer event of the same subject was waiting behind it.",
    "The worker died 5 times while it worked on this.",
    "The worker ended before it could say how this attempt went.",
    "The plugin failed: KeyError: 'name'",
    "The plugin failed: HubError: no. This kind of error does not say what is to be done.",
    "The hub failed at this delivery: ConnectionError: no",
    "Given up after 72 hours: glpi.example did not answer in time.",
    "GLPI has no such record. (user_token)",
    "glpi.example has trouble of its own (HTTP 503).",
    "The hub may not call glpi.example: The address 10.0.0.5 is in a private network. An "
    "administrator of the hub can connect it, or open it for everybody with "
    "HUB_OUTBOUND_ALLOW=10.0.0.5.",
    "Must be greater than or equal to 1 and less than or equal to 100.",
    "The body is not UTF-8 (byte 7).",
)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_is_stored_in_english_is_shown_in_every_language(language, sentence):
    """With what was filled in, which may be a sentence itself, of the hub or of a plugin."""
    shown = Translator({**languages.known(language), **plugin.translations[language]})(sentence)
    english = {"neither", "waiting", "worked", "attempt", "failed", "answer", "record", "trouble"}
    english |= {"network", "greater", "body", "Kept", "Given", "private", "died", "ended"}
    assert shown != sentence
    assert not english & set(re.findall(r"\w+", shown))
    assert set(re.findall(r"\d+", shown)) == set(re.findall(r"\d+", sentence))


def test_whatever_is_stored_for_people_is_marked_for_the_catalogues():
    """A reason or detail that is written down as it stands would be shown in English."""
    for path in (ROOT / "hub/delivery").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in ("reason", "detail"):
                choices = [node.value]
                if isinstance(node.value, ast.IfExp):
                    choices = [node.value.body, node.value.orelse]
                for said in choices:
                    bare = isinstance(said, ast.JoinedStr)
                    bare |= isinstance(said, ast.Constant) and bool(said.value)
                    assert not bare, f"{path}:{said.lineno}"


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_all_its_plurals(language):
    with (languages.LOCALE / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in catalogue:
        if message.pluralizable:
            assert len(message.string) == catalogue.num_plurals, message.id
