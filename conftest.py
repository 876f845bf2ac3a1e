"""Of all tests, the plugins' too: files lie in memory, and no test fails because it was slow.

A commit with ``synchronous=FULL`` waits for the disk some milliseconds, thousands of times. Garbage
is looked for in what tests make, not in what was imported for them.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by tempfile
#: Bytes that must be free there: a container may have 64 MiB in all.
_ENOUGH = 2 * 1024**3


def _has_room() -> bool:
    return (
        _MEMORY.is_dir()
        and os.access(_MEMORY, os.W_OK)
        and shutil.disk_usage(_MEMORY).free >= _ENOUGH
    )


if "TMPDIR" not in os.environ and _has_room():
    # For processes that the tests start, and for this one, which may have looked already.
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

hypothesis.settings.register_profile(
    "busy",
    hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("busy")


def pytest_configure() -> None:
    gc.disable()  # whatever is imported and collected stays


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    gc.enable()
