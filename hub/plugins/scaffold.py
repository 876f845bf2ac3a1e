"""Writing a new plugin: a copy of the template ``hub.sdk/template`` under the plugin's name."""

from __future__ import annotations

import keyword
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

ENDING = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: As ``hub.sdk.plugin.validate`` allows.
_LENGTH = range(2, 41)
#: Names whose package or command already exists.
_TAKEN = frozenset({"hub", "sdk", "test", "tests", "plugin"})


class BadName(Exception):
    """The name cannot be used for a plugin. The message says why."""


class Exists(Exception):
    """The folder for the plugin already exists."""


def check_name(name: str) -> None:
    """Check the name of a new plugin.

    :raises BadName: it cannot be used.
    """
    if not _NAME.fullmatch(name) or len(name) not in _LENGTH:
        raise BadName(
            f"{name!r} cannot be the name of a plugin: take {_LENGTH[0]} to {_LENGTH[-1]} "
            "lower-case letters, digits and single underscores, beginning with a letter, "
            "such as acme or acme_crm."
        )
    if name in _TAKEN or keyword.iskeyword(name):
        raise BadName(f"{name!r} has a meaning of its own; take another name.")


def write(name: str, folder: Path) -> list[Path]:
    """Write the plugin into a new folder; returns the files.

    :raises BadName: the name cannot be used.
    :raises Exists: the folder already exists.
    """
    check_name(name)
    if folder.exists():
        raise Exists(f"{folder} is there already; nothing was written.")
    written: list[Path] = []
    _copy(resources.files("hub.sdk") / "template", folder, name, written)
    return written


def _copy(source: Traversable, target: Path, name: str, written: list[Path]) -> None:
    target.mkdir(parents=True)
    for item in sorted(source.iterdir(), key=lambda item: item.name):
        place = target / _named(item.name, name).removesuffix(ENDING)
        if item.is_dir():
            _copy(item, place, name, written)
        elif item.name.endswith(ENDING):
            place.write_text(_named(item.read_text(encoding="utf-8"), name), encoding="utf-8")
            written.append(place)


def _named(text: str, name: str) -> str:
    """A text of the template, with the plugin's name in place of Acme."""
    words = name.split("_")
    dashed, title = "-".join(words), " ".join(word.capitalize() for word in words)
    joined = "".join(word.capitalize() for word in words)
    text = re.sub(r"\bhub-acme\b", f"hub-{dashed}", text)
    text = re.sub(r"\bacme-simulator\b", f"{dashed}-simulator", text)
    text = re.sub(r"\bacme\.example\b", f"{dashed}.example", text)
    text = text.replace("acme", name)
    # Without spaces in names of classes, with spaces in prose.
    return re.sub(r"Acme(?=[A-Z])|(?<=Test)Acme", joined, text).replace("Acme", title)
