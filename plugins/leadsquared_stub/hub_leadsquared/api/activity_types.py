"""Activity types, which the customer's account defines."""

from __future__ import annotations

from collections.abc import Mapping

from hub.sdk import RetryLater
from hub_leadsquared import sentences
from hub_leadsquared.api.answers import id_of
from hub_leadsquared.api.connection import Connection


class ActivityTypes:
    """Listing and making activity types."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def codes(self) -> Mapping[str, int]:
        """Name -> code. Codes come as numbers or as texts of digits."""
        body = self._connection.get("ProspectActivity.svc/ActivityTypes.Get", list)
        return {
            str(item["ActivityEventName"]): int(item["ActivityEvent"])
            for item in body
            if isinstance(item, dict)
            and item.get("ActivityEventName")
            and str(item.get("ActivityEvent")).isdigit()
        }

    def create(self, name: str, score: int) -> int:
        """Make a type for what the customer does (direction 0: inbound); its code.

        :raises Duplicate: there is one of this name.
        """
        body = self._connection.post(
            "ProspectActivity.svc/CreateType",
            {"ActivityEventName": name, "Score": score, "Direction": 0},
            dict,
        )
        code = id_of(body)
        if not code.isdigit():
            raise RetryLater(sentences.NOT_LEADSQUARED.format(status=200))
        return int(code)
