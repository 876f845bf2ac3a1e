"""What a newcomer's first commands meet: another folder, secrets, a demo that is stopped."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.cli import cli
from hub.cli.application import given, pairs
from hub.cli.demo import _free_port
from hub.cli.failure import Failure
from hub.config import Config
from tests.support.installation import PATIENCE


def test_a_command_in_another_folder_makes_no_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("HUB_DATA_DIR", "HUB_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for command in (["status"], ["doctor"], ["accounts", "list"]):
        result = CliRunner().invoke(cli, command, standalone_mode=False)
        assert isinstance(result.exception, Failure)
        assert f"There is no hub in {tmp_path / 'data'}" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_value_comes_from_a_file_or_from_standard_input(tmp_path):
    file = tmp_path / "key"
    file.write_text("planted secret \n")
    assert pairs(("a=x=y", f"b=@{file}", "c=@@home")) == {
        "a": "x=y",
        "b": "planted secret ",
        "c": "@home",
    }
    with pytest.raises(Failure, match="cannot be read"):
        given(f"@{tmp_path / 'absent'}", "--set a")
    script = "from hub.cli.application import given; print(repr(given('-', '--set a')))"
    told = subprocess.run(
        [sys.executable, "-c", script], input="piped\n", capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "'piped'"


def test_the_data_dir_is_closed_to_others(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    Config.from_environment({"HUB_DATA_DIR": str(folder)})
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_demo_takes_no_port_that_somebody_answers_at():
    with socket.create_server(("0.0.0.0", 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        assert _free_port(port) != port
    assert _free_port(port) == port


def test_a_stopped_demo_leaves_nothing_behind(tmp_path):
    environment = {**os.environ, "HUB_DATA_DIR": str(tmp_path / "data")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "hub", "demo", "--port", str(port)]
    demo = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while not (children := _children(demo.pid)):
        assert demo.poll() is None
        time.sleep(0.05)
    demo.send_signal(signal.SIGTERM)
    demo.wait(PATIENCE)
    give_up = time.monotonic() + PATIENCE
    while left := [child for child in children if _lives(child)]:
        # One that was just being started sees by itself that the demo is gone.
        assert time.monotonic() < give_up, left
        time.sleep(0.05)


def _lives(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
