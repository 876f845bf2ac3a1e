"""PHP's way to put lists and maps into a query string: ``criteria[0][field]=5``."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"\[([^\]]*)\]")


def parsed(query: str) -> dict[str, Any]:
    """A query string or form body as PHP would read it; lists are maps with number keys."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True) if query else ():
        first, *_ = name.split("[", 1)
        here, key = result, first
        for next_key in _KEY.findall(name[len(first) :]):
            inner = here.get(key)
            if not isinstance(inner, dict):
                inner = here[key] = {}
            here, key = inner, next_key or str(len(inner))
        here[key] = value
    return result


def listed(value: Any) -> list[Any]:
    """A PHP list, however it was sent."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


def is_true(value: Any) -> bool:
    """As GLPI reads flags in a query string."""
    return str(value).lower() in ("1", "true", "yes")
