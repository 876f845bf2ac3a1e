"""The simulated GLPI server, and what tests want to know of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from hub.sdk.testing.simulator import Request, Response, Simulator
from hub_glpi.simulator import faults
from hub_glpi.simulator.api import Api
from hub_glpi.simulator.columns import Row
from hub_glpi.simulator.errors import ApiError, FatalError
from hub_glpi.simulator.releases import RELEASES
from hub_glpi.simulator.sessions import Session, Sessions
from hub_glpi.simulator.state import Database, copies
from hub_glpi.simulator.tickets import REQUESTER

APP_TOKEN = "simulator-app-token"  # noqa: S105
USER_TOKEN = "simulator-user-token"  # noqa: S105
_API = re.compile(r"/+apirest\.php(?=/|\Z)")


class GlpiSimulator(Simulator):
    """A stateful GLPI with its REST API at ``{url}/apirest.php`` (``api_url``).

    ``user_token`` is the API token of ``glpi`` (Super-Admin); ``tech`` (Technician) and
    ``post-only`` (Self-Service) have tokens too, see ``user_tokens``. Passwords are the logins.
    ``version`` is one of ``RELEASES``; ``utc_offset_minutes`` the time zone that its dates are in;
    ``session_lifetime`` the seconds after which an unused session is gone. ``app_token`` "" makes
    the app token unnecessary. The rest goes to ``Simulator``. ``server_state`` (see
    ``faults.ServerState``) may be set at any time.
    """

    name: ClassVar[str] = "glpi"

    def __init__(
        self,
        *,
        app_token: str = APP_TOKEN,
        user_token: str = USER_TOKEN,
        version: str = "10.0.14",
        utc_offset_minutes: int = 0,
        session_lifetime: float = 1440.0,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.app_token = app_token
        self.user_tokens = {
            "glpi": user_token,
            "tech": f"{user_token}-tech",
            "post-only": f"{user_token}-post-only",
        }
        self.release = RELEASES[version]
        self.server_state: str = "up"
        self.database = Database(
            self.release,
            self.user_tokens,
            utc_offset_minutes=utc_offset_minutes,
            clock=self.now,
        )
        self.sessions = Sessions(self.database, session_lifetime)
        self._api = Api(self.database, self.sessions, app_token=app_token, root=lambda: self.url)

    # For tests.

    @property
    def api_url(self) -> str:
        """The base URL of the API, as one would configure it."""
        return f"{self.url}/apirest.php"

    def open_sessions(self) -> list[dict[str, Any]]:
        """The open sessions: token, login, profile, active entity."""
        with self.database.lock:
            return [
                {
                    "token": session.token,
                    "login": session.user["name"],
                    "profile": session.profile["name"],
                    "active_entity": session.active_entity,
                }
                for session in self.sessions.open()
            ]

    def expire_sessions(self) -> int:
        """Ends all sessions as PHP's garbage collector would; how many there were."""
        with self.database.lock:
            number = len(self.sessions.open())
            self.sessions.end_all()
            return number

    def documents_of(self, itemtype: str, number: int) -> list[str]:
        """The names of the files that GLPI's page shows with a ticket or followup."""
        with self.database.lock:
            links = self.database["Document_Item"].where("item", (itemtype, number))
            documents = self.database["Document"].rows
            return [documents[link["documents_id"]]["filename"] for link in links]

    def rows(self, itemtype: str) -> list[Row]:
        """The rows of a table as stored, not encoded, by id."""
        with self.database.lock:
            return copies(self.database[itemtype].rows.values())

    def tickets(self) -> list[Row]:
        """Tickets, each with ``_requesters`` (user ids) and ``_requester_emails``."""
        with self.database.lock:
            actors = self.database["Ticket_User"]
            tickets = self.rows("Ticket")
            for ticket in tickets:
                found = actors.where("tickets_id", ticket["id"])
                found = [actor for actor in found if actor["type"] == REQUESTER]
                ticket["_requesters"] = [a["users_id"] for a in found if a["users_id"]]
                ticket["_requester_emails"] = [
                    a["alternative_email"] for a in found if a["alternative_email"]
                ]
            return tickets

    def users(self) -> list[Row]:
        """Users, each with ``_emails``, the default one first."""
        with self.database.lock:
            users = self.rows("User")
            for user in users:
                emails = self.database["UserEmail"].where("users_id", user["id"])
                emails.sort(key=lambda row: -row["is_default"])
                user["_emails"] = [row["email"] for row in emails]
            return users

    def contacts(self) -> list[Row]:
        return self.rows("Contact")

    def followups(self, ticket: int | None = None) -> list[Row]:
        """Followups, of one ticket or of all."""
        return [f for f in self.rows("ITILFollowup") if ticket in (None, f["items_id"])]

    def state(self) -> dict[str, Any]:
        with self.database.lock:
            tables = {name: self.rows(name) for name in self.database.tables}
            tables |= {"User": self.users(), "Ticket": self.tickets()}
            sessions = self.open_sessions()
            for session in sessions:
                del session["token"]
            return {
                "version": self.release.version,
                "now": self.database.now(),
                "server_state": self.server_state,
                "sessions": sessions,
                "tables": tables,
            }

    def restore(self) -> None:
        with self.database.lock:
            self.server_state = "up"
            self.sessions.end_all()
            self.database.restore()

    def act(self, action: str, argument: Any) -> Any:
        """``server_state`` (a ``ServerState``), ``expire_sessions``, ``seed`` (demo data)."""
        if action == "server_state":
            if argument not in faults.SERVER_STATES:
                raise ValueError(f"unknown state {argument!r}; known: {faults.SERVER_STATES}")
            self.server_state = str(argument)
            return {"server_state": argument}
        if action == "expire_sessions":
            return {"expired": self.expire_sessions()}
        if action == "seed":
            self.seed()
            return {"users": len(self.rows("User"))}
        return super().act(action, argument)

    def seed(self) -> None:
        """A little data to look at: an entity, a category, a few people."""
        with self.database.lock:
            session = self.sessions.begin("", {"user_token": self.user_tokens["glpi"]})
            create = self._create
            create(session, "Entity", {"name": "Support", "entities_id": 0})
            create(session, "ITILCategory", {"name": "Chat", "is_recursive": 1})
            for first, last in (("Ann", "Lee"), ("Carla", "Díaz"), ("Jörg", "Müller")):
                email = f"{first.lower().replace('ö', 'oe')}@example.com"
                person = {"firstname": first, "realname": last}
                create(session, "User", {**person, "name": email, "_useremails": [email]})
            create(
                session, "Contact", {"name": "Lind", "firstname": "Bo", "email": "bo@example.com"}
            )
            self.sessions.end(session)

    def _create(self, session: Session, itemtype: str, values: Mapping[str, Any]) -> None:
        self._api.item_type(itemtype).create(session, values)

    # Serving.

    def route(self, request: Request) -> str:
        return super().route(
            Request(request.method, _API.sub("", request.path, count=1), "", {}, b"")
        )

    def turn(self, request: Request) -> contextlib.AbstractContextManager[object]:
        """A session serves one write at a time (trap 18)."""
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return contextlib.nullcontext()
        session = self.sessions.peek(request.headers.get("session-token", ""))
        return session.lock if session else contextlib.nullcontext()

    def handle(self, request: Request) -> Response:
        api = _API.match(request.path)
        if not api:
            if "apirest.php" in request.path:
                return Response.of_html("File not found.\n", 404)
            return self._page("login")
        if request.method == "OPTIONS":
            return Response.of_html("")
        segments = [part for part in request.path[api.end() :].split("/") if part]
        try:
            blocked = faults.answer_in(self.server_state, request.client_address)
            if blocked:
                return blocked
            if not segments:
                return self._page("documentation")
            with self.database.lock:
                token_login = self.server_state != "token_login_disabled"
                return self._api.call(request, segments, token_login=token_login)
        except FatalError:
            return faults.fatal_answer()
        except ApiError as error:
            return self._error(error)

    def _page(self, kind: str) -> Response:
        first = self.release.numeric_entities
        return Response.of_html(faults.page(kind, title_first=first))

    def _error(self, error: ApiError) -> Response:
        message = error.message
        if error.documented:
            # Refused before the configuration is read, this one cannot know the address.
            base = "" if error.code == "ERROR_JSON_PAYLOAD_FORBIDDEN" else self.api_url
            message += f"; view documentation in your browser at {base}/#{error.code}"
        return Response.of_json([error.code, message], error.status)
