"""The hub's commands, each in a process of its own that is forked from a warm one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hub.sdk.testing import processes


def command(
    *arguments: str, environment: Mapping[str, str], timeout: float, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``hub`` with these arguments, in this environment alone, and in this folder.

    :raises subprocess.TimeoutExpired: it did not end in ``timeout`` seconds, and was killed.
    """
    with tempfile.TemporaryDirectory() as here:
        told, complained = Path(here, "stdout"), Path(here, "stderr")
        process = processes.start(
            *(_command, list(arguments), dict(environment)), folder or Path.cwd(), told, complained
        )
        process.join(timeout)
        if process.is_alive():
            processes.stop(process)
            raise subprocess.TimeoutExpired(["hub", *arguments], timeout)
        assert process.exitcode is not None
        return subprocess.CompletedProcess(
            ["hub", *arguments], process.exitcode, told.read_text(), complained.read_text()
        )


def _command(
    arguments: list[str], environment: dict[str, str], folder: Path, told: Path, complained: Path
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, told), (2, complained)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv = ["hub", *arguments]
    from hub.cli import main

    main()
