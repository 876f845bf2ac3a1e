"""Activities on leads. They have no key of their own by which a second try could be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hub_leadsquared.api.answers import id_of
from hub_leadsquared.api.connection import Connection

#: What the note field holds, in characters.
NOTE_LENGTH: Final = 2_000
_PAGE: Final = 25
#: Pages looked through for an activity that an earlier try may have made.
_MOST_PAGES: Final = 8


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity, with every text in it: where the note stands differs between accounts."""

    id: str
    texts: tuple[str, ...]


class Activities:
    """Posting and listing activities."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, lead_id: str, code: int, note: str, at: datetime) -> str:
        """Post an activity dated ``at``; its id. LeadSquared takes the date as UTC.

        :raises LeadGone: there is no such lead any more.
        """
        body = self._connection.post(
            "ProspectActivity.svc/Create",
            {
                "RelatedProspectId": lead_id,
                "ActivityEvent": code,
                "ActivityNote": note,
                "ActivityDateTime": at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            },
            dict,
        )
        return id_of(body)

    def of_type(self, lead_id: str, code: int) -> Iterator[Activity]:
        """The lead's activities of one type, at most 200.

        :raises LeadGone: there is no such lead any more.
        """
        for page in range(_MOST_PAGES):
            body = self._connection.post(
                "ProspectActivity.svc/Retrieve",
                {
                    "Parameter": {"ActivityEvent": code},
                    "Paging": {"Offset": str(page * _PAGE), "RowCount": str(_PAGE)},
                },
                dict,
                params={"leadId": lead_id},
            )
            found = body.get("ProspectActivities") or []
            yield from (_activity(item) for item in found if isinstance(item, dict))
            if len(found) < _PAGE:
                return


def _activity(item: Mapping[str, Any]) -> Activity:
    return Activity(str(item.get("Id") or ""), tuple(_texts(item)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
