"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
#: It runs as root in containers, and must not look for the world outside.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A process for each page takes half a second to start; and these pages trust each other.
    "--renderer-process-limit=1",
    "--disable-features=SpareRendererForSitePerProcess",
]
#: The looks in which every page is shown.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 800}},
    "dark": {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser; without one the test is skipped, unless there must be one."""
    if CHROMIUM is None:
        if os.environ.get("HUB_TEST_REQUIRE_CHROMIUM"):
            raise RuntimeError("HUB_TEST_REQUIRE_CHROMIUM is set, and there is no Chromium.")
        pytest.skip("no Chromium here, so the dashboard is not tested in a browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield running
        running.close()


def watched(page: Page) -> list[str]:
    """What the page complains of: errors of scripts, and refusals of the content policy."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "status of" not in message.text
            else None
        ),
    )
    return complaints
