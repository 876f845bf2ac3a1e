"""A hub that cannot start says why, and its exit code whether it may work the next time."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.support import forks
from tests.support.installation import free_port

NOWHERE = "postgresql://hub:hub@127.0.0.1:1/hub"


def run(*arguments: str, folder, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {"HUB_DATA_DIR": str(folder / "data"), **environment}
    return forks.command(*arguments, environment=told, timeout=300, folder=folder)


@pytest.mark.parametrize("command", ["up", "web", "worker", "sweeper"])
def test_a_setting_that_cannot_be_used(command, tmp_path):
    done = run(command, folder=tmp_path, HUB_PROXIES="many")
    assert "HUB_PROXIES" in done.stderr
    assert done.returncode == 78


def test_other_commands_fail_with_1(tmp_path):
    done = run("status", folder=tmp_path, HUB_PROXIES="many")
    assert (done.returncode, "HUB_PROXIES" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", ["up", "web", "worker", "sweeper"])
def test_a_database_that_is_away(command, tmp_path):
    options = ["--port", str(free_port())] if command in ("up", "web") else []
    done = run(
        *(command, *options),
        folder=tmp_path,
        HUB_DATABASE_URL=NOWHERE,
        HUB_REDIS_URL="redis://127.0.0.1:1",
    )
    assert "The database answered" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 75


@pytest.mark.parametrize("command", ["up", "web"])
def test_a_port_that_somebody_has(command, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(command, "--port", str(port), folder=tmp_path)
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert done.returncode == 75


#: ``hub`` with a web application that cannot be made.
BROKEN = """
import sys
import hub.cli.web
def broken(*_):
    raise RuntimeError("this application is broken")
hub.cli.web.create_web_app = broken
from hub.cli import main
main()
"""


def test_an_application_that_cannot_be_loaded(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, "web", "--port", str(free_port())],
        env={"HUB_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "this application is broken" in done.stderr
    assert "The web server cannot load the application" in done.stderr
    assert done.returncode == 70
