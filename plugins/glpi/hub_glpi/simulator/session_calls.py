"""Calls about the session itself: its data, profiles, entities, and the configuration."""

from __future__ import annotations

from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError
from hub_glpi.simulator.query import is_true
from hub_glpi.simulator.sessions import Session, Sessions
from hub_glpi.simulator.state import Database

SESSION_CALLS = frozenset(
    {
        "getFullSession",
        "getMyProfiles",
        "getActiveProfile",
        "getMyEntities",
        "getActiveEntities",
        "changeActiveEntities",
        "getGlpiConfig",
    }
)


class SessionCalls:
    """Answers them. Called with the database locked."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self.database = database
        self.sessions = sessions

    def begun(self, session: Session, params: dict[str, Any]) -> Row:
        """What ``initSession`` answers."""
        answer: Row = {"session_token": session.token}
        if is_true(params.get("get_full_session", 0)):
            answer["session"] = self.full(session)
        return answer

    def answer(self, call: str, session: Session, params: dict[str, Any]) -> Any:
        if call == "getFullSession":
            return {"session": self.full(session)}
        if call == "getMyProfiles":
            return {"myprofiles": self._profiles(session)}
        if call == "getActiveProfile":
            return {"active_profile": dict(session.profile)}
        if call == "getMyEntities":
            return {"myentities": self._my_entities(session, params)}
        if call == "getActiveEntities":
            return {"active_entity": self._active(session)}
        if call == "changeActiveEntities":
            return self._change_active(session, params)
        return {
            "cfg_glpi": {
                "version": self.database.release.version,
                "dbversion": self.database.release.database_version,
                "language": "en_GB",
                "list_limit_max": "50",
            }
        }

    def full(self, session: Session) -> Row:
        """PHP's session, cut to the keys a client needs."""
        entity = self.database["Entity"].rows[session.active_entity]
        tree = " (tree structure)" if session.recursive else ""
        profiles = {
            str(profile["id"]): {"name": profile["name"], "entities": profile["entities"]}
            for profile in self._profiles(session)
        }
        user = session.user
        names = " ".join(n for n in (user["realname"], user["firstname"]) if n)
        return {
            "valid_id": session.token,
            "glpi_currenttime": self.database.now(),
            "glpiID": user["id"],
            "glpifriendlyname": names or user["name"],
            "glpiname": user["name"],
            "glpidefault_entity": session.active_entity,
            "glpilanguage": "en_GB",
            "glpiprofiles": profiles,
            "glpiactiveprofile": dict(session.profile),
            "glpiactive_entity": session.active_entity,
            "glpiactiveentities": list(session.entities),
            "glpiactive_entity_name": entity["completename"] + tree,
        }

    def _profiles(self, session: Session) -> list[Row]:
        return [
            {
                "id": right["profiles_id"],
                "name": self.database["Profile"].rows[right["profiles_id"]]["name"],
                "entities": [
                    {
                        "id": right["entities_id"],
                        "name": self._entity_name(right["entities_id"]),
                        "is_recursive": right["is_recursive"],
                    }
                ],
            }
            for right in self.database["Profile_User"].where("users_id", session.user_id)
        ]

    def _entity_name(self, number: int) -> str:
        return str(self.database["Entity"].rows[number]["completename"])

    def _my_entities(self, session: Session, params: dict[str, Any]) -> list[Row]:
        found: list[int] = []
        for right in self.database["Profile_User"].where("users_id", session.user_id):
            below = is_true(params.get("is_recursive", 0)) and right["is_recursive"]
            root = right["entities_id"]
            found += self.database.sons_of(root) if below else [root]
        return [{"id": n, "name": self._entity_name(n)} for n in dict.fromkeys(found)]

    def _active(self, session: Session) -> Row:
        return {
            "id": session.active_entity,
            "active_entity_recursive": int(session.recursive),
            "active_entities": [{"id": number} for number in session.entities],
        }

    def _change_active(self, session: Session, params: dict[str, Any]) -> bool:
        wanted = str(params.get("entities_id", "all"))
        mine = self.database["Profile_User"].where("users_id", session.user_id)[0]
        allowed = (
            self.database.sons_of(mine["entities_id"])
            if mine["is_recursive"]
            else [mine["entities_id"]]
        )
        if wanted == "all":
            session.active_entity, session.entities = mine["entities_id"], allowed
            session.recursive = True
            return True
        if not wanted.isdigit() or int(wanted) not in allowed:
            if self.database.release.unknown_entity_is_false:
                return False
            raise ApiError(400, "ERROR", "Bad Request", documented=True)
        session.active_entity = int(wanted)
        session.recursive = is_true(params.get("is_recursive", 0))
        below = self.database.sons_of(session.active_entity)
        session.entities = below if session.recursive else [session.active_entity]
        return True
