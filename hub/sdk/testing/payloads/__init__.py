"""Recorded Chatwoot payloads, to feed a plugin with what a real server sends.

``chatwoot/INDEX.md`` says what each of them shows.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

_FOLDER = resources.files(__name__) / "chatwoot"
_SIGNED = "signed_deliveries.json"


def names() -> list[str]:
    """The names of all payloads, in the order of ``INDEX.md``: that of a customer's story."""
    index = (_FOLDER / "INDEX.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+)\.json` \|", index, re.MULTILINE)


def raw(name: str) -> bytes:
    """A payload as the bytes of a request body."""
    return (_FOLDER / f"{name}.json").read_bytes()


def load(name: str) -> dict[str, Any]:
    """A payload as data."""
    payload: dict[str, Any] = json.loads(raw(name))
    return payload


def signed_deliveries() -> list[dict[str, Any]]:
    """Requests with headers, secret and clock, and the verdict that each must get."""
    cases: list[dict[str, Any]] = json.loads((_FOLDER / _SIGNED).read_bytes())["cases"]
    return cases
