"""Sessions: who is calling, in which profile, seeing which entities."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError
from hub_glpi.simulator.state import Database

_TOKEN = re.compile(r"[A-Za-z0-9,-]+\Z")

# What each profile may do with an item type: c(reate), r(ead), u(pdate), d(elete). Super-Admin may
# do everything. Seen for Technician and Self-Service on 10.0.14; the rest only read.
_TECHNICIAN = {
    "User": "cru",
    "UserEmail": "crud",
    "Profile_User": "r",
    "Contact": "r",
    "Ticket": "crud",
    "Ticket_User": "crud",
    "ITILFollowup": "crud",
    "ITILSolution": "crud",
    "ITILCategory": "r",
    "Document": "crud",
    "Document_Item": "crd",
    "Entity": "r",
}
_SELF_SERVICE = {"Ticket": "cr", "Ticket_User": "r", "ITILFollowup": "cr", "Document": "c"}
SUPER_ADMIN, SELF_SERVICE, TECHNICIAN = 4, 1, 6


@dataclass(slots=True)
class Session:
    """One login. Entities are those of its beginning (trap 19)."""

    token: str
    user: Row
    profile: Row
    entities: list[int]
    active_entity: int
    last_used: float
    recursive: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)
    """PHP's session lock: one write at a time (trap 18)."""

    @property
    def user_id(self) -> int:
        return int(self.user["id"])

    @property
    def is_central(self) -> bool:
        """Whether this is the technicians' interface, not the self-service one."""
        return bool(self.profile["interface"] == "central")

    def may(self, right: str, itemtype: str) -> bool:
        if self.profile["id"] in (SUPER_ADMIN, 3):
            return True
        if self.profile["id"] == TECHNICIAN:
            return right in _TECHNICIAN.get(itemtype, "")
        if self.profile["id"] == SELF_SERVICE:
            return right in _SELF_SERVICE.get(itemtype, "")
        return right == "r"


class Sessions:
    """Opens, finds and ends sessions. ``lifetime`` is PHP's ``gc_maxlifetime`` in seconds."""

    def __init__(self, database: Database, lifetime: float) -> None:
        self.database = database
        self.lifetime = lifetime
        self._open: dict[str, Session] = {}

    def open(self) -> list[Session]:
        return list(self._open.values())

    def peek(self, token: str) -> Session | None:
        """The session of a token, if it is open; not a use of it."""
        return self._open.get(token)

    def end_all(self) -> None:
        self._open.clear()

    def end(self, session: Session) -> None:
        self._open.pop(session.token, None)

    def begin(
        self, authorization: str, params: dict[str, Any], *, by_token: bool = True
    ) -> Session:
        """Logs in with a user token (where the server allows it), or with login and password."""
        user = self._who(authorization, params, by_token)
        database = self.database
        profiles = database["Profile_User"].where("users_id", user["id"])
        if not profiles:
            raise ApiError(401, "ERROR_GLPI_LOGIN", "You don't have right to connect")
        first = profiles[0]
        database["User"].update(user, {"last_login": database.now()})
        if user["date_mod"] is None:
            user["date_mod"] = database.now()
        root = first["entities_id"]
        entities = database.sons_of(root) if first["is_recursive"] else [root]
        profile = database["Profile"].rows[first["profiles_id"]]
        token = secrets.token_hex(13)
        session = Session(token, user, profile, entities, root, database.clock())
        self._open[token] = session
        return session

    def find(self, token: str) -> Session:
        """The session of a token; 400 without one, 401 when it is unknown, ended or too old."""
        if not token:
            raise ApiError(
                400,
                "ERROR_SESSION_TOKEN_MISSING",
                "parameter session_token is missing or empty",
                documented=True,
            )
        session = self._open.get(token) if _TOKEN.match(token) else None
        now = self.database.clock()
        if session is None or now - session.last_used > self.lifetime:
            self._open.pop(token, None)
            raise ApiError(401, "ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid")
        session.last_used = now
        return session

    def _who(self, authorization: str, params: dict[str, Any], by_token: bool) -> Row:
        kind, _, credentials = authorization.partition(" ")
        token = credentials.strip() if kind.lower() == "user_token" else ""
        token = token or str(params.get("user_token", ""))
        if token:
            user = self.database.user_with_token(token)
            if user is None or not by_token or not _can_log_in(user):
                raise ApiError(
                    401, "ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid"
                )
            return user
        login, password = str(params.get("login", "")), str(params.get("password", ""))
        if kind.lower() == "basic":
            login, password = _basic(credentials)
        if not login:
            raise ApiError(
                400,
                "ERROR_LOGIN_PARAMETERS_MISSING",
                "parameter(s) login, password or user_token are missing",
                documented=True,
            )
        user = self.database.user_named(login)
        # Fresh installations have users whose password is their login.
        if user is None or password != user["name"] or not _can_log_in(user):
            raise ApiError(401, "ERROR_GLPI_LOGIN", "Incorrect username or password")
        return user


def _can_log_in(user: Row) -> bool:
    return bool(user["is_active"] and not user["is_deleted"])


def _basic(credentials: str) -> tuple[str, str]:
    try:
        login, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, password
