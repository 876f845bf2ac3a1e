"""Questions to GLPI's search engine.

``contains`` is a LIKE without regard to case: ``^`` and ``$`` anchor it, ``%`` stands for anything,
also between anchors, ``_`` only for itself, and an empty value fits everything. ``equals`` on a
user's email never finds anything. So every question here is a ``contains``, and whoever asks
compares what comes back with what was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub_glpi.api.answers import rows
from hub_glpi.api.connection import Connection


@dataclass(frozen=True, slots=True)
class Condition:
    """A field's number and the pattern its value must fit."""

    field: int
    pattern: str


def exactly(field: int, value: str) -> Condition:
    """The whole value. Wildcards in it still widen the answer."""
    return Condition(field, f"^{value}$")


def digits(field: int, number: str) -> Condition:
    """The digits in this order with anything in between, as people type phone numbers."""
    return Condition(field, "%".join(number))


def any_of(
    connection: Connection,
    itemtype: str,
    conditions: Sequence[Condition],
    show: Sequence[int],
    *,
    trashed: bool = False,
    newest_first: bool = False,
    limit: int = 100,
) -> list[dict[int, Any]]:
    """The rows that fit at least one condition, with the fields ``show`` and those asked about.

    :raises ValueError: a condition is empty and would fit everything.
    """
    if not all(condition.pattern.strip("^$%") for condition in conditions):
        raise ValueError("An empty condition would fit everything.")
    params: dict[str, Any] = {"range": f"0-{limit - 1}"}
    for place, condition in enumerate(conditions):
        if place:
            params[f"criteria[{place}][link]"] = "OR"
        params[f"criteria[{place}][field]"] = condition.field
        params[f"criteria[{place}][searchtype]"] = "contains"
        params[f"criteria[{place}][value]"] = condition.pattern
    for place, field in enumerate(show):
        params[f"forcedisplay[{place}]"] = field
    if trashed:
        params["is_deleted"] = 1
    if newest_first:
        params.update({"sort": 2, "order": "DESC"})
    return rows(connection.get(f"search/{itemtype}", params))
