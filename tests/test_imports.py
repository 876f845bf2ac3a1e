"""Dependencies point one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def hub_parts(folder: str) -> list[tuple[str, str]]:
    """Every import of a part of the hub in a folder: the file, and the part."""
    return [
        (str(path.relative_to(ROOT)), name)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "tests" not in path.relative_to(ROOT / folder).parts
        for name in imported(path)
        if name.startswith("hub.")
    ]


@pytest.mark.parametrize(
    "folder",
    [
        "plugins/glpi/hub_glpi",
        "plugins/leadsquared_stub/hub_leadsquared",
        "plugins/webhook/hub_webhook",
    ],
)
def test_plugins_know_only_the_sdk(folder):
    assert [item for item in hub_parts(folder) if not item[1].startswith("hub.sdk")] == []


def test_the_sdk_knows_nothing_of_the_hub():
    # The crash harness of ``testing`` starts a whole hub; it is no part of a plugin at run time.
    assert [
        item
        for item in hub_parts("hub/sdk")
        if not item[1].startswith("hub.sdk") and not item[0].startswith("hub/sdk/testing/")
    ] == []


@pytest.mark.parametrize(
    ("folder", "above"),
    [
        ("hub/models", ("accounts", "cli", "delivery", "fleet", "inbox", "plugins", "queue")),
        ("hub/queue", ("accounts", "cli", "delivery", "inbox", "plugins")),
        ("hub/delivery", ("accounts", "cli", "fleet", "inbox")),
        ("hub/inbox", ("accounts", "cli", "delivery", "fleet")),
        ("hub/accounts", ("cli", "fleet")),
        ("hub/fleet", ("cli", "inbox")),
    ],
)
def test_no_station_knows_those_above_it(folder, above):
    forbidden = tuple(f"hub.{name}" for name in above)
    assert [item for item in hub_parts(folder) if item[1].startswith(forbidden)] == []
