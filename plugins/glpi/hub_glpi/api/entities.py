"""GLPI entities, and the other things that a setup looks at."""

from __future__ import annotations

from typing import Any

from hub_glpi.api.answers import record, records
from hub_glpi.api.connection import Connection


class Entities:
    """Entities, categories and the server's configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, entity_id: int) -> dict[str, Any]:
        """An entity.

        :raises NotAllowed: it is out of the session's reach, or newer than the session.
        :raises Missing: there is none.
        """
        return record(self._connection.get(f"Entity/{entity_id}"))

    def category(self, category_id: int) -> dict[str, Any]:
        """A ticket category.

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"ITILCategory/{category_id}"))

    def request_source(self, source_id: int) -> dict[str, Any]:
        """A request source, which tells by what way a ticket came.

        :raises Missing: there is none.
        :raises NotAllowed: the profile may not read dropdowns.
        """
        return record(self._connection.get(f"RequestType/{source_id}"))

    def request_sources(self) -> list[dict[str, Any]]:
        """All request sources: ``id``, ``name``, ``is_mail_default``.

        :raises NotAllowed: the profile may not read dropdowns.
        """
        return records(self._connection.get("RequestType", {"range": "0-199"}))

    def profile(self, profile_id: int) -> dict[str, Any]:
        """A profile.

        :raises Missing: there is none.
        """
        return record(self._connection.get(f"Profile/{profile_id}"))

    def active_profile(self) -> dict[str, Any]:
        """The session's profile with its rights."""
        body = record(self._connection.get("getActiveProfile"))
        profile = body.get("active_profile")
        return profile if isinstance(profile, dict) else {}

    def version(self) -> str:
        """GLPI's version ("10.0.14")."""
        config = record(self._connection.get("getGlpiConfig")).get("cfg_glpi")
        return str(config.get("version") or "") if isinstance(config, dict) else ""
