"""Rooms stand on floors: each imports from lower floors only, and plugins from the SDK only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: From the bottom up. Rooms of one floor do not know each other. ``docs/decisions/0014`` says why
#: a room stands where it does.
FLOORS = (
    "sdk",
    "clock crashpoint errors log policy strict_json",
    "config security",
    "database",
    "models",
    "audit",
    "plugins queue outbound",
    "services",
    "inbox delivery",
    "history",
    "accounts access",
    "fleet",
    "dashboard api",
    "app",
    "kit",
    "cli",
    "__main__",
)
HEIGHT = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms.split()}
#: Parts of the SDK that do nothing but give the kit's public names.
OF_THE_KIT = ("hub.sdk.testing.conformance", "hub.sdk.testing.context", "hub.sdk.testing.stories")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path}: a relative import hides where it points"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The modules below a folder, and their files."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), path


def room_of(module: str) -> str:
    """The room that a module of the hub belongs to."""
    return "kit" if module in OF_THE_KIT else module.split(".")[1]


def wrong_arrows(folder: Path) -> list[str]:
    """Imports from one room into another that does not lie below it."""
    rooms = {module.split(".")[1] for module, _ in files(folder) if "." in module}
    return sorted(
        f"{module} imports {target}"
        for module, path in files(folder)
        if "." in module
        for target in imported(path)
        # ``from hub import __version__`` names no room.
        if target.startswith("hub.") and target.split(".")[1] in rooms
        if room_of(target) != room_of(module)
        and HEIGHT.get(room_of(target), len(FLOORS)) >= HEIGHT.get(room_of(module), 0)
    )


def test_a_room_imports_lower_rooms_only():
    assert wrong_arrows(ROOT / "hub") == []


def test_every_room_has_its_floor():
    found = {module.split(".")[1] for module, _ in files(ROOT / "hub") if "." in module}
    assert found == set(HEIGHT)


def test_what_stands_for_the_kit_holds_nothing_else():
    for module in OF_THE_KIT:
        path = ROOT / (module.replace(".", "/") + ".py")
        kinds = {type(node) for node in ast.parse(path.read_text(encoding="utf-8")).body}
        assert kinds <= {ast.Expr, ast.ImportFrom, ast.Assign}, module
        assert all(name.startswith("hub.kit") for name in imported(path)), module


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("models/thing.py", "from hub.delivery.drain import Drain", True),
        ("queue/thing.py", "def f():\n    import hub.plugins.registry", True),
        ("sdk/thing.py", "from hub import log", True),
        ("database/thing.py", "from hub.config import Config", False),
        ("leftover.py", "from hub.config import Config", True),
        ("config.py", "from hub.leftover import thing", True),
    ],
)
def test_an_arrow_that_points_up_or_aside_is_seen(tmp_path, module, text, wrong):
    for name in ("delivery/drain", "plugins/registry", "log", "config", "leftover", module[:-3]):
        path = tmp_path / "hub" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "hub" / module).write_text(text)
    assert bool(wrong_arrows(tmp_path / "hub")) is wrong


@pytest.mark.parametrize("folder", ["glpi", "leadsquared_stub", "webhook"])
def test_plugins_know_only_the_sdk(folder):
    (package,) = (ROOT / "plugins" / folder).glob("hub_*/__init__.py")
    assert [
        (module, name)
        for module, path in files(package.parent)
        for name in imported(path)
        if name.startswith("hub.") and not name.startswith("hub.sdk")
    ] == []
