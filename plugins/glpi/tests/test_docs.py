"""The documentation names every setting, every status, and every trouble that a person can mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hub_glpi import sentences
from hub_glpi.api.errors import TABLE
from hub_glpi.config import PRIORITIES, STATUSES
from hub_glpi.settings import GlpiSettings

from hub.sdk.settings import form_fields

PAGE = Path(__file__).parents[3] / "docs" / "glpi.md"
MAPPED = ("status_", "priority_")


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("field", form_fields(GlpiSettings), ids=lambda field: field.name)
def test_every_setting(page: str, field: object) -> None:
    name = getattr(field, "name", "")
    if not name.startswith(MAPPED):
        assert f"`{name}`" in page
        assert str(getattr(field, "label", "")) in page


def test_every_status_and_priority(page: str) -> None:
    for name, number in STATUSES.items():
        assert re.search(rf"\| [^|]*{name}[^|]*\| {number} ", page), name
    for name, number in PRIORITIES.items():
        assert re.search(rf"\| {name} \| {number} ", page), name


@pytest.mark.parametrize(
    "sentence",
    sorted(
        {meaning.sentence for code, meaning in TABLE.items() if code != "ERROR_ITEM_NOT_FOUND"}
        | {
            value
            for name, value in sentences.ALL.items()
            if name.startswith(("URL_", "ENTITY_", "CATEGORY_", "DEFAULT_USER_", "PROFILE_"))
        }
        | {sentences.API_DISABLED, sentences.MAINTENANCE, sentences.REDIRECTED}
        | {sentences.TOO_LARGE, sentences.NOT_GLPI, sentences.VERSION_TOO_OLD}
    ),
)
def test_every_trouble(page: str, sentence: str) -> None:
    """By the longest piece of its first part that is always the same."""
    start = re.split(r"[:.] | \(", re.sub(r"^\{\w+\} ", "", sentence))[0].rstrip(".")
    piece = max(re.split(r"\{\w+\}", start), key=len).strip()
    words = piece.removeprefix("GLPI has no ").split()[:6]
    assert " ".join(words).rstrip(",") in page.split("## Troubleshooting")[1]
