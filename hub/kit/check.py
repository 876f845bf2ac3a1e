"""Running the conformance kit for an installed plugin, and what came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hub.sdk.plugin import Plugin

#: The module of a plugin's package that tells the kit what it needs to know.
MODULE = "conformance"


class Uncheckable(Exception):
    """The kit cannot be run; the message says what is missing."""


@dataclass(slots=True)
class Mark:
    """One line of the report card: a promise, how many cases proved it, and which did not."""

    promise: str
    cases: int = 0
    seconds: float = 0.0
    failures: list[dict[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every case passed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of so many cases were run; this promise is being proved."""

    total: int
    run: int
    promise: str


class Check:
    """One run of the kit. Iterate over it to run it; the ``marks`` are complete afterwards."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.marks: dict[str, Mark] = {}
        self._module = f"{plugin.package}.{MODULE}"
        self._require_parts()

    @property
    def passed(self) -> bool:
        """Whether the plugin stands the kit."""
        return bool(self.marks) and all(mark.passed for mark in self.marks.values())

    def __iter__(self) -> Iterator[Progress]:
        """Run the kit in a process of its own.

        :raises Uncheckable: the plugin's module cannot be read, or pytest broke off.
        """
        reading, writing = os.pipe()
        # A folder of its own: no configuration of where the command was typed takes part.
        with (
            tempfile.TemporaryDirectory(prefix="hub-check-") as folder,
            # A file, which takes any length; a pipe that nobody reads would stop the run.
            tempfile.TemporaryFile() as output,
        ):
            run = subprocess.Popen(
                [*_command(folder, writing), "--pyargs", self._module],
                pass_fds=[writing],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            os.close(writing)
            total = done = 0
            with os.fdopen(reading, encoding="utf-8") as lines:
                for line in lines:
                    told = json.loads(line)
                    if "error" in told:
                        run.wait()
                        raise Uncheckable(f"{self._module} cannot be read:\n{told['error']}")
                    if "collected" in told:
                        total = len(told["collected"])
                        continue
                    done += 1
                    yield Progress(total, done, self._note(told).promise)
            if run.wait() not in (0, 1):
                output.seek(0)
                said = output.read().decode("utf-8", "replace")
                raise Uncheckable(f"The kit broke off (pytest said {run.returncode}).\n{said}")

    def _note(self, told: dict[str, Any]) -> Mark:
        name, case = _parts(told["test"])
        mark = self.marks.setdefault(name, Mark(name))
        mark.cases += 1
        mark.seconds = round(mark.seconds + told["seconds"], 2)
        if told["outcome"] != "passed":
            reason = told["reason"] or f"It was {told['outcome']}."
            mark.failures.append({"case": case, "reason": reason, "story": told["story"]})
        return mark

    def _require_parts(self) -> None:
        if find_spec("pytest") is None:
            raise Uncheckable("The kit needs pytest: pip install 'crm-hub[kit]'.")
        if find_spec(self._module) is None:
            raise Uncheckable(
                f"{self.plugin.name} does not tell the kit about itself: it has no module "
                f"{self._module}. 'hub plugins new' shows what belongs there."
            )


def _command(folder: str, report_to: int) -> list[str]:
    configuration = Path(folder) / "pytest.ini"
    configuration.write_text("[pytest]\n", encoding="utf-8")
    return [
        *(sys.executable, "-m", "pytest"),
        *("-c", str(configuration), "--rootdir", folder, "--import-mode", "importlib"),
        *("-p", "no:cacheprovider", "-p", "hub.kit.report"),
        *("--report-to", str(report_to), "--quiet"),
    ]


def _parts(nodeid: str) -> tuple[str, str]:
    """The promise that a test's name makes, and its case."""
    test = nodeid.rpartition("::")[2]
    found = re.fullmatch(r"(?:test_)?(\w+)(?:\[(.*)\])?", test)
    if found is None:
        return test, ""
    return found[1].replace("_", " "), found[2] or ""
