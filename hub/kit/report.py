"""A pytest plugin that tells how each test went, line by line, to whoever started the run.

Used by ``hub plugins check``: each line is a JSON object, written to the descriptor that
``--report-to`` names.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

OPTION = "--report-to"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(OPTION, type=int, help="File descriptor for the report.")


def pytest_configure(config: pytest.Config) -> None:
    """Report, if asked to."""
    descriptor = config.getoption(OPTION)
    if descriptor is not None:
        config.pluginmanager.register(_Reporter(descriptor))


class _Reporter:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._write({"collected": [item.nodeid for item in session.items]})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write({"error": report.longreprtext})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._write(
                {
                    "test": report.nodeid,
                    "outcome": report.outcome,
                    "seconds": round(report.duration, 2),
                    "reason": _reason(report),
                    "story": report.longreprtext if report.failed else "",
                }
            )

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return "" if crash is None else str(crash.message)
