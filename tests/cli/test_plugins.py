"""``hub plugins new`` and ``hub plugins check``, and the features of accounts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forks import command
from tests.support.scaffold import edit, install

ROOT = Path(__file__).parents[2]


def hub(*arguments: str, folder: Path, site: Path | None = None) -> subprocess.CompletedProcess:
    """A command, with the plugins of a folder installed."""
    environment = {**os.environ, "HUB_DATA_DIR": str(folder / "data")}
    if site is None:
        return command(*arguments, environment=environment, timeout=600, folder=folder)
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize("name", ["Acme", "a", "1crm", "my-crm", "my__crm", "class", "x" * 41, ""])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    done = hub("plugins", "new", name, folder=tmp_path)
    assert done.returncode == 1
    assert "take" in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name != "data"] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "precious").write_text("mine")
    done = hub("plugins", "new", "acme", folder=tmp_path)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert [path.name for path in (tmp_path / "acme").iterdir()] == ["precious"]


def test_no_trace_of_the_template_is_left(tmp_path: Path) -> None:
    assert hub("plugins", "new", "big_crm", folder=tmp_path).returncode == 0
    files = [path for path in (tmp_path / "big_crm").rglob("*") if path.is_file()]
    assert len(files) > 15
    assert [
        p for p in files if "acme" in f"{p.relative_to(tmp_path)} {p.read_text()}".lower()
    ] == []


def test_what_is_written_is_in_form(tmp_path: Path) -> None:
    hub("plugins", "new", "acme", folder=tmp_path)
    # How imports are sorted depends on where the plugin lives.
    for options in (["check", "--ignore", "I001"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *options, "--config", ROOT / "ruff.toml", "acme"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_a_plugin_without_the_module_of_the_kit_is_told_so(tmp_path: Path) -> None:
    site = install(tmp_path)
    (site / "hub_acme" / "conformance.py").unlink()
    done = hub("plugins", "check", "acme", folder=tmp_path, site=site)
    assert done.returncode == 1
    assert "no module hub_acme.conformance" in done.stderr


def test_a_module_of_the_kit_that_cannot_be_read_is_shown(tmp_path: Path) -> None:
    site = install(tmp_path)
    edit(site, "conformance.py", "import plugin", "import no_such_plugin")
    done = hub("plugins", "check", "acme", folder=tmp_path, site=site)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert "no_such_plugin" in done.stderr


def test_the_report_card_names_the_broken_promise_and_the_exit_code_is_honest(
    tmp_path: Path,
) -> None:
    site = install(tmp_path)
    edit(site, "manifest.py", 'logo="logo.svg"', "logo=None")
    # One cheap suite is enough to see how a card is made.
    edit(site, "conformance.py", "import Conformance", "import Manifest as Conformance")
    done = hub("plugins", "check", "acme", "--json", folder=tmp_path, site=site)
    assert done.returncode == 1
    card = json.loads(done.stdout)
    assert card["passed"] is False
    broken = [mark["promise"] for mark in card["promises"] if not mark["passed"]]
    assert broken == ["the logo is an svg in the package"]
    shown = hub("plugins", "check", "acme", folder=tmp_path, site=site)
    assert "✗ the logo is an svg in the package" in shown.stdout
    assert "breaks 1 of 7 promises" in shown.stderr


def test_a_feature_is_switched_on_and_off(tmp_path: Path) -> None:
    hub("accounts", "create", "Acme", "--feature", "beta", folder=tmp_path)
    on = hub("accounts", "feature", "Acme", "sync", "--on", "--json", folder=tmp_path)
    assert json.loads(on.stdout)["features"] == ["beta", "sync"]
    off = hub("accounts", "feature", "Acme", "beta", "--off", "--json", folder=tmp_path)
    assert json.loads(off.stdout)["features"] == ["sync"]
