"""Matching, sorting and cutting: what lists and searches share (section Reading)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError, FatalError
from hub_glpi.simulator.query import is_true
from hub_glpi.simulator.texts import folded, sort_key

PAGE = 50
MAXIMUM = 1000
_RANGE = re.compile(r"(\d+)-(\d+)\Z")


def exact_text(text: str) -> str | None:
    """The folded text that ``contains`` asks to be the whole value, if it asks for that."""
    if len(text) < 2 or not (text.startswith("^") and text.endswith("$")) or "%" in text:
        return None
    return folded(text[1:-1])


def contains(text: str) -> Callable[[Any], bool]:
    """GLPI's text search: a LIKE with ``^`` and ``$`` as anchors and ``%`` as wildcard (trap 3).

    An empty text matches everything, also what is not there.
    """
    if text == "":
        return lambda _: True
    at_start, at_end = text.startswith("^"), text.endswith("$")
    needle = folded(text[at_start : len(text) - at_end])
    if "%" in needle:
        middle = ".*".join(re.escape(piece) for piece in needle.split("%"))
        pattern = f"{'' if at_start else '.*'}{middle}{'' if at_end else '.*'}"
        match = re.compile(pattern, re.DOTALL).fullmatch
        return lambda value: value is not None and match(folded(str(value))) is not None
    if at_start and at_end:
        return lambda value: value is not None and folded(str(value)) == needle
    if at_start:
        return lambda value: value is not None and folded(str(value)).startswith(needle)
    if at_end:
        return lambda value: value is not None and folded(str(value)).endswith(needle)
    return lambda value: value is not None and needle in folded(str(value))


def order_key(value: Any) -> tuple[int, Any]:
    """Sorts as the database does: what is missing first, then numbers, then texts."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, (int, float)) else (2, sort_key(str(value)))


class Page:
    """One page of a result: 200 when it is all, 206 when it is cut."""

    def __init__(self, found: list[Row], params: dict[str, Any], itemtype: str) -> None:
        given = _RANGE.match(str(params.get("range", "")))
        start, end = (int(given[1]), int(given[2])) if given else (0, PAGE - 1)
        self.total = len(found)
        if start and start >= self.total:
            raise ApiError(
                400,
                "ERROR_RANGE_EXCEED_TOTAL",
                f"Provided range exceed total count of data: {self.total}",
                documented=True,
            )
        self.items = found[start : end + 1]
        self.range = f"{start}-{start + len(self.items) - 1}/{self.total}"
        self.status = 200 if len(self.items) == self.total else 206
        self.headers = {"Accept-Range": f"{itemtype} {MAXIMUM}"}
        if self.items:
            self.headers["Content-Range"] = self.range


def listed_rows(rows: list[Row], columns: Row, params: dict[str, Any]) -> list[Row]:
    """Filters and sorts as the list endpoints do. An unknown field is fatal (trap 1)."""
    if "is_deleted" in columns:
        deleted = is_true(params.get("is_deleted", 0))
        rows = [row for row in rows if bool(row["is_deleted"]) == deleted]
    searched = params.get("searchText") or {}
    for name, text in searched.items() if isinstance(searched, dict) else ():
        if name not in columns:
            raise FatalError
        matches = contains(str(text))
        rows = [row for row in rows if matches(row[name])]
    sort = str(params.get("sort", "id"))
    if sort not in columns:
        raise ApiError(400, "ERROR", f"sort param is not a field of {sort}", documented=True)
    descending = str(params.get("order", "ASC")).upper() == "DESC"
    return sorted(rows, key=lambda row: order_key(row[sort]), reverse=descending)
