"""Activity types and activities."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hub_leadsquared.simulator.errors import (
    DUPLICATE,
    INVALID,
    MANDATORY,
    NO_SUCH_ENTITY,
    ApiException,
    BadRequest,
)
from hub_leadsquared.simulator.leads import Leads

#: What the note field holds, in UTF-16 units.
NOTE_LENGTH = 2_000
_TIME = "%Y-%m-%d %H:%M:%S"
_BUILT_IN = {"Email Opened": 1, "Page Visited on Website": 2, "Phone Conversation": 21}
_FIRST_CUSTOM_CODE = 201
_MOST_AT_ONCE = 25


class Activities:
    """The activities of an account's leads."""

    def __init__(self, leads: Leads, clock: Callable[[], float]) -> None:
        self._leads = leads
        self._clock = clock
        self.types: dict[str, int] = dict(_BUILT_IN)
        self.scores: dict[str, int] = {}
        self.rows: list[dict[str, Any]] = []

    def list_types(self) -> list[dict[str, Any]]:
        """All types. Codes of custom ones come as texts: readers must take both."""
        return [
            {
                "ActivityEvent": code if code < _FIRST_CUSTOM_CODE else str(code),
                "ActivityEventName": name,
                "Score": self.scores.get(name, 0),
            }
            for name, code in self.types.items()
        ]

    def create_type(self, body: Any) -> int:
        """Make a type; its code."""
        name = body.get("ActivityEventName") if isinstance(body, dict) else None
        if not name:
            raise ApiException(MANDATORY, "ActivityEventName is mandatory")
        if name in self.types:
            raise ApiException(DUPLICATE, f"Activity type {name} already exists")
        if not isinstance(body.get("Score", 0), int):
            raise ApiException(INVALID, "Score must be a number")
        code = max([_FIRST_CUSTOM_CODE - 1, *self.types.values()]) + 1
        self.types[name] = code
        self.scores[name] = body.get("Score", 0)
        return code

    def create(self, body: Any) -> str:
        """Post an activity; its id."""
        if not isinstance(body, dict):
            raise BadRequest("an activity is expected")
        lead = self._leads.get(str(body.get("RelatedProspectId")))
        code = body.get("ActivityEvent")
        name = next((n for n, c in self.types.items() if c == code), None)
        if name is None:
            raise ApiException(NO_SUCH_ENTITY, f"Activity event {code} not found")
        note = str(body.get("ActivityNote") or "")
        if len(note.encode("utf-16-le")) // 2 > NOTE_LENGTH:
            raise ApiException(INVALID, f"ActivityNote is longer than {NOTE_LENGTH} characters")
        row = {
            "Id": str(uuid.uuid4()),
            "EventCode": code,
            "EventName": name,
            "RelatedProspectId": lead["ProspectID"],
            "CreatedOn": self._date(body.get("ActivityDateTime")),
            "Note": note,
        }
        self.rows.append(row)
        return str(row["Id"])

    def create_many(self, body: Any) -> list[dict[str, Any]]:
        """Post up to 25 activities; an answer for each."""
        if not isinstance(body, list) or not 1 <= len(body) <= _MOST_AT_ONCE:
            raise BadRequest(f"1 to {_MOST_AT_ONCE} activities are expected")
        return [
            {"ProspectActivityId": self.create(item), "RowNumber": n}
            for n, item in enumerate(body, 1)
        ]

    def retrieve(self, lead_id: str, body: Any) -> dict[str, Any]:
        """The lead's activities of one type or of all, newest first, by pages."""
        self._leads.get(lead_id)
        body = body if isinstance(body, dict) else {}
        code = body.get("Parameter", {}).get("ActivityEvent")
        paging = body.get("Paging", {})
        offset, count = int(paging.get("Offset") or 0), int(paging.get("RowCount") or 10)
        found = [
            row
            for row in reversed(self.rows)
            if row["RelatedProspectId"] == lead_id and code in (None, row["EventCode"])
        ]
        return {
            "RecordCount": len(found),
            "ProspectActivities": [_shown(row) for row in found[offset : offset + count]],
        }

    def _date(self, text: Any) -> str:
        if text is None:
            return datetime.fromtimestamp(self._clock(), UTC).strftime(_TIME)
        try:
            return datetime.strptime(str(text), _TIME).strftime(_TIME)
        except ValueError as error:
            raise ApiException(INVALID, f"ActivityDateTime must be {_TIME}") from error


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    shown = {
        name: value for name, value in row.items() if name not in ("Note", "RelatedProspectId")
    }
    return {**shown, "Data": [{"Key": "NotableEventDescription", "Value": row["Note"]}]}
