"""No module is longer than can be held in the head."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_LINES = 400


def modules() -> list[Path]:
    """All of product and tests. A migration is never changed, so it is left out."""
    folders = ("hub", "plugins", "tests", "benchmarks", "migrations")
    found = [*ROOT.glob("*.py"), *(path for f in folders for path in (ROOT / f).rglob("*.py"))]
    return [path for path in found if path.parent != ROOT / "migrations" / "versions"]


def too_long(paths: list[Path]) -> dict[str, int]:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in paths}
    return {str(path): length for path, length in lengths.items() if length > MOST_LINES}


def test_no_module_has_more_than_400_lines():
    assert too_long(modules()) == {}


def test_one_that_is_too_long_is_seen(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * 400)
    assert too_long([path]) == {}
    path.write_text("x = 1\n" * 401)
    assert too_long([path]) == {str(path): 401}


def test_hub_plugins_and_tests_are_looked_at():
    found = {path.relative_to(ROOT).as_posix() for path in modules()}
    assert {
        "wsgi.py",
        "hub/app.py",
        "plugins/glpi/tests/conftest.py",
        "tests/test_size.py",
    } <= found
    assert "migrations/versions/0001_first_schema.py" not in found
