"""From an empty virtual environment to events in a plugin that was written a minute ago."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import requests

from hub.outbound.guard import THIS_MACHINE
from hub.sdk.testing import payloads
from tests.support.installation import PATIENCE, SECRET, RunningHub, free_port

ROOT = Path(__file__).parents[2]
#: What the core needs at run time beside its modules.
DATA = (
    "hub/py.typed",
    "hub/sdk/template/setup.cfg.tmpl",
    "hub/sdk/template/hub_acme/locale/fr.json.tmpl",
    "hub/sdk/testing/payloads/chatwoot/INDEX.md",
    "hub/sdk/testing/payloads/chatwoot/contact_created_full.json",
    "migrations/script.py.mako",
    "migrations/versions/0001_first_schema.py",
)


class Machine:
    """A virtual environment of its own, outside the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        venv.create(folder / "venv")
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HUB_", "PYTHON", "COV"))
        }

    def run(self, program: str, *arguments: str) -> str:
        """A program of the environment, which must succeed; what it printed."""
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{program} {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def install(self, *arguments: str) -> None:
        """With our own pip, and without compiling what is never imported: that takes a minute."""
        command = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install"]
        subprocess.run(
            [*command, "--quiet", "--no-compile", *arguments], cwd=self.folder, check=True
        )


class Installed(RunningHub):
    """A hub that runs from another environment than the tests."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        super().__init__(folder)
        self.environment = {
            **machine.environment,
            "HUB_DATA_DIR": str(folder / "data"),
            "HUB_OUTBOUND_ALLOW": THIS_MACHINE,
        }
        self.program = str(machine.bin / "hub")

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.program, *arguments], env=self.environment, stdout=self.log, stderr=self.log
        )

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def start_acme(self) -> str:
        port = free_port()
        self._children.append(self._spawn("acme-simulator", "--port", str(port)))
        url = f"http://127.0.0.1:{port}"
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(f"{url}/__simulator__/state", timeout=120)
                return url
            except requests.RequestException:
                assert time.monotonic() < give_up, self.story()
                time.sleep(0.05)


def wheel(folder: Path) -> Path:
    """The core as people install it."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)),
        ],
        check=True,
        cwd=folder,
    )
    (built,) = folder.glob("crm_hub-*.whl")
    return built


def test_a_plugin_from_nothing_to_events_in_its_crm(tmp_path: Path) -> None:
    core = wheel(tmp_path)
    names = set(zipfile.ZipFile(core).namelist())
    assert [name for name in DATA if name not in names] == []
    shipped = [
        path.relative_to(ROOT).as_posix()
        for part in ("hub/dashboard", "hub/api", "hub/sdk/template")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert [name for name in shipped if name not in names] == []

    machine = Machine(tmp_path)
    machine.install("--constraint", str(ROOT / "constraints.txt"), f"{core}[kit]", "setuptools")
    machine.run("hub", "plugins", "new", "acme")
    machine.install("--no-deps", "--no-build-isolation", "./acme")
    assert json.loads(machine.run("hub", "plugins", "check", "acme", "--json"))["passed"]
    (listed,) = json.loads(machine.run("hub", "plugins", "list", "--json"))
    assert (listed["id"], listed["state"]) == ("acme", "ready")

    with Installed(tmp_path, machine) as hub:
        acme = hub.start_acme()
        hub.start()
        hub.run("accounts", "create", "Team")
        source = hub.run("sources", "create", "Team", "--kind=chatwoot", "--signing-secret", SECRET)
        hub.webhook = source["webhook_url"]
        settings = ("--set", f"api_url={acme}", "--set", "token=simulator-token")
        assert hub.run("hooks", "create", "Team", "acme", *settings)["status"] == "active"
        for name in ("contact_created_full", "message_created_incoming_widget"):
            assert hub.send(payloads.raw(name)).status_code == 202
        hub.wait()
        people = requests.get(f"{acme}/__simulator__/state", timeout=120).json()["people"]
        emails = sorted(person["email"] for person in people)
        senders = [
            payloads.load("contact_created_full")["email"],
            payloads.load("message_created_incoming_widget")["sender"]["email"],
        ]
        assert emails == sorted(senders)
        assert sorted(len(person["notes"]) for person in people) == [0, 1]
